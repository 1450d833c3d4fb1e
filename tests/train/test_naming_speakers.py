"""Runs that learn known speakers: how they are judged, what they keep, what names speakers afterwards."""

import json
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from tiny_recipe import recipe as tiny_recipe

from voxsphere.audio.features import Fbank
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.data.closed_set import closed_set
from voxsphere.data.manifests import open_manifest
from voxsphere.losses.softmax import Softmax
from voxsphere.metrics.identification import top_k
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import Affine, AsPooled
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.classifier import classifier_of
from voxsphere.train.finish import finish
from voxsphere.train.logbook import read_logbook
from voxsphere.train.posteriors import log_posteriors, way_of
from voxsphere.train.run import train
from voxsphere.train.start import Start

CLOSED = (
    "data=closed_set",
    "data.manifest=$SPEAKERS",
    "validation=Identification",
    "objective.head=Softmax",
    "margin=null",
)


@pytest.fixture
def closed(speakers, monkeypatch):
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return tiny_recipe().with_options(*CLOSED)


def of_frames() -> SpeakerModel:
    """A network that judges each frame by itself."""
    torch.manual_seed(0)
    return SpeakerModel(
        features=partial(Fbank, num_mels=20), encoder=partial(Tdnn, width=12, last=16), pooling=MeanPooling,
        projection=AsPooled,
    )  # fmt: skip


def pooled_by_statistics() -> SpeakerModel:
    torch.manual_seed(0)
    return SpeakerModel(
        features=partial(Fbank, num_mels=20), encoder=partial(Tdnn, width=12, last=16), pooling=StatsPooling,
        projection=partial(Affine, dim=8),
    )  # fmt: skip


def wave(seconds=1.0, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, round(16000 * seconds)).astype(np.float32)


def test_frames_are_judged_one_by_one():
    model, head = of_frames().eval(), Softmax(16, 5)
    parts = log_posteriors(model, head, [wave()])
    frames = model.frames(torch.from_numpy(wave())[None])[0]
    for t in range(frames.shape[1]):
        logits = head.weight.double() @ frames[:, t].double() + head.bias.double()
        torch.testing.assert_close(parts[t], logits.log_softmax(0).detach(), atol=1e-5, rtol=0)
    assert len(parts) == frames.shape[1]


def test_the_ways_differ_as_they_say():
    model, head = pooled_by_statistics().eval(), Softmax(8, 5)
    pieces = [wave(1.0), wave(0.8, seed=1)]
    with torch.no_grad():
        vectors = torch.cat([model(torch.from_numpy(piece)[None]) for piece in pieces])
        pooled = torch.cat([model.pooled(torch.from_numpy(piece)[None]) for piece in pieces])
        wanted = {
            "posteriors": head.logits(vectors),
            "embedding": head.logits(vectors.mean(0, keepdim=True)),
            "pooled": head.logits(model.projection(pooled.mean(0, keepdim=True))),
        }
    for by, logits in wanted.items():
        torch.testing.assert_close(log_posteriors(model, head, pieces, by=by), logits.double().log_softmax(1))


def test_judging_leaves_the_training_mode_as_it_was():
    model, head = of_frames().train(), Softmax(16, 5).train()
    model.encoder.eval()
    before = {name: module.training for name, module in model.named_modules()}
    log_posteriors(model, head, [wave()])
    assert {name: module.training for name, module in model.named_modules()} == before
    assert head.training


def test_a_network_that_needs_several_frames_is_not_asked_frame_by_frame():
    assert way_of(of_frames(), "auto") == "frames"
    assert way_of(pooled_by_statistics(), "auto") == "embedding"
    with pytest.raises(BadInput, match="pools its frames by StatsPooling"):
        way_of(pooled_by_statistics(), "frames")


def test_a_closed_run_is_judged_by_its_own_speakers_and_names_them(closed, speakers, tmp_path):
    train(closed, tmp_path, workers=0)
    lines = [line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "validation"]
    assert {"identification_error", "top5_error", "frame_error", "heldout_loss"} <= set(lines[-1])
    assert lines[-1]["heldout_loss"] < lines[0]["heldout_loss"]
    done = finish(closed, tmp_path)
    found = done.results
    assert (found.utterances, found.speakers, found.known) == (12, 12, 12)
    assert found.top1.value > 3 / 12  # thrice what guessing would reach
    assert done.card.calibration is None
    assert f"{100 * found.top1.value:.1f} %" in done.card.measured[0]
    page = done.page.read_text()
    assert "Naming known speakers" in page
    assert "Telling unknown speakers apart" not in page
    rows = (tmp_path / "held_out.decisions.tsv").read_text().splitlines()
    assert rows[0] == "id\tspeaker\tlead\ttrue"
    right = [row.split("\t")[1] == row.split("\t")[3] for row in rows[1:]]
    assert np.mean(right) == pytest.approx(found.top1.value)


def test_the_classifier_of_a_run_holds_the_weights_that_the_run_keeps(closed, speakers, tmp_path):
    recipe = closed.with_options("keep=best", "ema=null", "epochs=4")
    train(recipe, tmp_path, workers=0)
    lines = [line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "validation"]
    classifier = classifier_of(tmp_path)
    data = recipe.data()
    decisions, failures = classifier.decide(data.held_out)
    assert not failures
    number = {speaker: i for i, speaker in enumerate(classifier.speakers)}
    true = np.array([number[u.speaker] for u in data.held_out])
    error = 1 - top_k(decisions.log_posteriors, true).mean()
    assert error == pytest.approx(min(line["identification_error"] for line in lines))


def test_identify_names_speakers_in_the_terminal_and_in_files(closed, speakers, tmp_path, voxsphere):
    run = tmp_path / "run"
    train(closed.with_options("epochs=4"), run, workers=0)
    done = voxsphere("identify", speakers, "--run", run, "--out", tmp_path / "said.log", "--json")
    assert done.status == 0
    told = json.loads(done.out)
    assert told["decided"] == 60
    assert 0 < told["results"]["top1"] <= told["results"]["top5"] <= 1
    rows = [line.split("\t") for line in (tmp_path / "said.log").read_text().splitlines()]
    manifest = open_manifest(speakers)
    assert [name for name, _ in rows] == list(manifest.ids)
    right = np.mean([manifest.speaker_of()[name] == speaker for name, speaker in rows])
    assert right == pytest.approx(told["results"]["top1"])
    shown = voxsphere("identify", speakers, "--run", run)
    assert "right speaker" in shown.out
    assert f"mistaken {100 * told['results']['error']:.1f} %" in shown.out
    assert "bootstrap replicates over speakers" in shown.out


def test_utterances_without_a_speaker_are_named_and_not_counted(closed, speakers, tmp_path, voxsphere):
    run = tmp_path / "run"
    train(closed.with_options("epochs=1"), run, workers=0)
    whole = open_manifest(speakers)
    rows = tuple(replace(u, speaker="") if i % 3 == 0 else u for i, u in enumerate(whole))
    Manifest(rows).save(tmp_path / "some.tsv")
    told = ("identify", tmp_path / "some.tsv", "--run", run, "--json")
    done = voxsphere(*told, "--confusion", tmp_path / "confusion.tsv", "--out", tmp_path / "said.tsv")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert found["decided"] == 60
    assert found["results"]["counts"] == {"utterances": 40, "speakers": 12, "known": 12, "unlabelled": 20}
    assert "(20 more have no speaker's label and are left out)" in found["results"]["note"]
    # The table counts what the decisions say: each labelled utterance once, those rightly named on the diagonal.
    header, *table = (line.split("\t") for line in (tmp_path / "confusion.tsv").read_text().splitlines())
    counts = {(row[0], said): int(n) for row in table for said, n in zip(header[1:], row[1:], strict=True)}
    decided = [line.split("\t") for line in (tmp_path / "said.tsv").read_text().splitlines()[1:]]
    pairs = Counter((true, said) for _, said, _, true in decided if true)
    assert {pair: n for pair, n in counts.items() if n} == pairs
    assert (header[0], len(header), len(table)) == ("true", 13, 12)
    right = sum(counts[speaker, speaker] for speaker in header[1:])
    assert right / 40 == pytest.approx(found["results"]["top1"])
    worst = found["results"]["confused"]
    assert all(counts[each["true"], each["said"]] == each["utterances"] for each in worst)

    Manifest(tuple(replace(u, speaker="") for u in whole)).save(tmp_path / "none.tsv")
    done = voxsphere("identify", tmp_path / "none.tsv", "--run", run, "--confusion", tmp_path / "c.tsv")
    assert done.status == 2
    assert "tells no speaker" in done.err
    for options, words in (
        (("--confusion", "c.txt"), "--confusion c.txt: the table is named .tsv"),
        (("--plain-crops", "--crop-seconds", 7), "is of drawn crops; say how many by --crops"),
        (("--crops", 3, "--crop-seconds", "inf"), "crops of inf s: give"),
        (("--crops", 3, "--crop-seconds", 0.001), "pieces of 0.001 s are too short"),
    ):
        done = voxsphere("identify", speakers, "--run", run, *options)
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert words in done.err


def test_what_cannot_be_named_is_told_in_one_line(closed, speakers, tmp_path, voxsphere):
    missing = voxsphere("identify", speakers, "--run", tmp_path)
    assert missing.status == 2
    assert "holds no run" in missing.err
    assert "named .txt, .log or .tsv" in voxsphere("identify", speakers, "--run", tmp_path, "--out", "said.csv").err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("validation=Verification",), "take --set validation=Identification"),
        (("data=training_set", "data.manifest=$SPEAKERS", "data.held_out=4"), "take data=closed_set"),
        (("validation.figure=eer",), "no figure 'eer'"),
        (("objective=Metric", "objective.metric=Ge2e"), "no head that could name a speaker"),
    ],
)
def test_judges_that_do_not_fit_the_data_are_refused(closed, tmp_path, options, words):
    with pytest.raises(BadInput, match=words):
        train(closed.with_options(*options), tmp_path, workers=0)


def test_a_closed_set_may_begin_from_a_run_on_the_same_speakers(closed, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    train(closed.with_options("epochs=1", "keep=last"), first, workers=0)
    start = partial(Start, model=str(first), freeze=("features", "encoder", "pooling", "projection"))
    train(replace(closed.with_options("epochs=1", "keep=last"), start=start), second, workers=0)
    one, other = classifier_of(first), classifier_of(second)
    for name, value in one.model.state_dict().items():
        torch.testing.assert_close(other.model.state_dict()[name], value)
    assert not torch.equal(one.head.weight, other.head.weight)


def test_a_closed_set_is_a_part_of_recipes(closed):
    assert closed.data.func is closed_set
    assert closed.to_json()["data"]["part"] == "closed_set"
