"""Deep-speaker v2: its sizes, its three stages from a tree like VCTK's to a decision, and every option of its page."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voxsphere.audio.stores import read_array
from voxsphere.audio.wave import read, write
from voxsphere.cli.features import front_end
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.corpora import prepare
from voxsphere.data.cuts import Plan, cuts
from voxsphere.data.feature_sets import compute
from voxsphere.data.forms import Corpus
from voxsphere.data.forms import write as write_form
from voxsphere.data.split_table import with_splits
from voxsphere.losses.softmax import Softmax
from voxsphere.pretrained import open_folder
from voxsphere.pretrained.over_waves import over_waves
from voxsphere.recipes import find
from voxsphere.recipes.systems.deep_speaker_v2 import CEPSTRA, deep_speaker_v2
from voxsphere.train.classifier import classifier_of
from voxsphere.train.finish import finish
from voxsphere.train.logbook import read_logbook
from voxsphere.train.run import train
from voxsphere.train.stages import Stages
from voxsphere.train.weights import Weights

PAGE = Path(__file__).parents[3] / "docs" / "systems" / "deep_speaker_v2.md"


def test_sizes_are_the_published_ones() -> None:
    model = deep_speaker_v2().recipes[0].model()
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == 78_200
    assert count + sum(parameter.numel() for parameter in Softmax(model.dim, 80).parameters()) == 94_280
    assert model.encoder.dense.in_features == 390
    assert CEPSTRA().dim == 39
    assert model(torch.zeros(2, 10, 39)).shape == (2, 200)
    assert model.frames(torch.zeros(1, 100, 39)).shape == (1, 200, 31)


def test_a_window_is_115_ms() -> None:
    front = CEPSTRA()
    assert front.frames_of(919) == 9
    assert front.frames_of(920) == 10


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of six made-up speakers with eight recordings each, prepared as its page says."""
    folder = tmp_path_factory.mktemp("deep_speaker")
    utterances = []
    for speaker in range(6):
        colour = stream("colour", speaker).normal(0, 0.5, 40)
        for number in range(8):
            noise = stream("deep speaker", speaker, number).standard_normal(6000)
            path = folder / f"s{speaker}-{number}.wav"
            write(path, (0.05 * np.convolve(noise, colour, "same")).astype(np.float32), 8000)
            utterances.append(Utterance(path.stem, str(path), f"s{speaker}", split="train", text="A word."))
    out = folder / "form"
    write_form("deep_speaker_v2", Corpus(Manifest(tuple(utterances)), {}), out)
    tree = with_splits(prepare("vctk", out).manifest, str(out / "speakers.tsv"))
    drawn = cuts(tree, Plan(per_speaker=10), memory=out / "cuts.edges.tsv").manifest
    compute(drawn, CEPSTRA, out / "mfcc.ark")
    return out


def small(place: Path) -> Stages:
    """Few steps of few windows."""
    recipe, _ = find("deep_speaker_v2", data=place)
    assert isinstance(recipe, Stages)
    each = ["1.batch_size=120", "3.batch_size=120", "2.batch_size=120", "2.sampler.utterances=2", "2.data.targets=20"]
    each += ["2.objective.metric.loss.margin=30"]  # these speakers are easily told apart: by 0.2 all of them are
    return recipe.with_options(*each, "1.epochs=12", "2.epochs=2", "3.epochs=8", "log_every=2")


@pytest.fixture(scope="module")
def run(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of all three stages."""
    folder, recipe = tmp_path_factory.mktemp("run"), small(place)
    recipe.claim(folder)
    outcomes = [
        outcome for _, outcome in recipe.in_turn(folder, lambda stage, where: train(stage, where, workers=0, cpu=True))
    ]
    assert [outcome.finished for outcome in outcomes] == [True] * 3
    return folder


def test_three_stages_learn_to_tell_the_speakers(run: Path) -> None:
    logged = {
        stage: list(read_logbook(run / stage / "logbook.jsonl")) for stage in ("1-softmax", "2-triplet", "3-head")
    }
    for stage in ("1-softmax", "3-head"):
        judged = [line for line in logged[stage] if line["kind"] == "validation"]
        assert judged[-1]["frame_error"] < 0.5  # by chance it would be 0.75
        assert judged[-1]["identification_error"] < 0.3
    triplets = [line for line in logged["2-triplet"] if line["kind"] == "steps"]
    assert triplets[0]["triplets"] == 60
    assert all(np.isfinite(line["loss"]) for line in triplets)
    assert [line["kind"] for line in logged["2-triplet"]].count("validation") == 2


def test_the_last_stage_leaves_the_layer_as_the_triplets_made_it(run: Path) -> None:
    kept = [Weights(run / stage / "weights", keep="last", count=1).model() for stage in ("2-triplet", "3-head")]
    assert all(torch.equal(value, kept[1][name]) for name, value in kept[0].items())
    softmax = Weights(run / "1-softmax" / "weights", keep="best", count=1).model()
    assert torch.equal(softmax["features.mean"], kept[0]["features.mean"])
    assert not torch.equal(softmax["encoder.dense.weight"], kept[0]["encoder.dense.weight"])


def test_a_recording_is_decided_on_by_the_sum_of_its_windows(
    run: Path, place: Path, voxsphere: Callable[..., Any]
) -> None:
    classifier = classifier_of(run / "3-head")
    judging = Manifest(tuple(u for u in Manifest.load(place / "mfcc.tsv") if u.split == "dev"))
    decisions, failures = classifier.decide(judging)
    assert not failures
    frames = torch.from_numpy(np.array(read_array(judging.utterances[0].path)))
    with torch.no_grad():
        windows = [classifier.model(frames[None, first : first + 10]) for first in range(0, len(frames) - 9, 3)]
        summed = sum(classifier.head.logits(window).double().log_softmax(1)[0] for window in windows)
    np.testing.assert_allclose(decisions.log_posteriors[0], summed, atol=1e-4)
    told = ("identify", place / "mfcc.tsv", "--split", "dev", "--run", run / "3-head", "--json")
    assert json.loads(voxsphere(*told).out)["decided"] == len(judging)
    refused = voxsphere(*told, "--crops", 3)
    assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert "stored features cannot be played backwards; take plain crops" in refused.err


def test_the_model_over_waves_gives_the_vectors_of_the_stored_features(run: Path, place: Path, tmp_path: Path) -> None:
    stage = small(place).recipes[2]
    assert finish(stage, run / "3-head").card.name == "deep_speaker_v2, head"
    over_waves(run / "3-head" / "model", place / "mfcc.json", tmp_path / "waves")
    stored, waves = open_folder(run / "3-head" / "model").model, open_folder(tmp_path / "waves").model
    recording = next(iter(sorted((place / "wav48").rglob("*.wav"))))
    wave = read(recording, rate=8000)
    features = CEPSTRA()(torch.from_numpy(wave)[None])[0]
    np.testing.assert_allclose(waves.embed([wave]), stored.embed([features]), atol=1e-5)


def test_what_is_missing_is_told(tmp_path: Path, place: Path) -> None:
    with pytest.raises(BadInput, match="voxsphere cuts"):
        small(tmp_path).recipes[0].data()
    learnt = Manifest(tuple(u for u in Manifest.load(place / "mfcc.tsv") if u.split != "held_out"))
    learnt.save(tmp_path / "mfcc.tsv")
    with pytest.raises(BadInput, match="no speakers of split held_out"):
        small(tmp_path).recipes[1].data()


def settings() -> Iterator[str]:
    """What the page sets by name."""
    text = PAGE.read_text()
    names = set(re.findall(r"`((?:[123]\.)?(?:\w+\.)+\w+|keep|seed|batch_size)(?:=\w+)?`", text))
    yield from sorted(name for name in names if not re.search(r"\.(tsv|json|md|wav|pkl|ark|safetensors)$", name))


@pytest.mark.parametrize("name", list(settings()))
def test_every_option_of_the_page_is_the_recipe_s(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    number, _, rest = name.partition(".")
    stage, option = (int(number), rest) if number.isdecimal() else (1, name)
    if option.startswith("of."):
        assert option.removeprefix("of.") in partial(CEPSTRA.keywords["of"]).keywords
        return
    value: object = deep_speaker_v2().recipes[stage - 1].to_json()
    for part in option.split("."):
        assert isinstance(value, dict), f"{name}: {part}"
        assert part in value, f"{name}: {part}"
        value = value[part]


def test_the_page_s_settings_are_taken() -> None:
    found = re.findall(r"--set ((?:[123]\.)?(?:model|data|objective)[\w.]*=[\w.]+)", PAGE.read_text())
    assert found
    unit = ("2.objective.metric.loss.normalised=true", "3.model.projection=LengthNorm")
    for settings in (*((setting,) for setting in found), unit):
        assert deep_speaker_v2().with_options(*settings).hash != deep_speaker_v2().hash


def test_the_front_end_of_the_page_is_the_recipe_s() -> None:
    command = re.search(r"--features Deltas(.*?)--out", PAGE.read_text(), re.DOTALL)
    assert command
    told = front_end("Deltas", re.findall(r"--set (\S+)", command[1]))
    wave = torch.from_numpy(stream("front end").standard_normal((1, 4000)).astype(np.float32))
    assert torch.equal(told()(wave), CEPSTRA()(wave))
