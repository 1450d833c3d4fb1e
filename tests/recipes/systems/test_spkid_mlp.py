"""SpkID MLP: the counts and options of the original, its form and files, and a run from them to named files."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim import SGD, Adam

from voxsphere.audio.fmatrix import shape_of, write_fmatrix
from voxsphere.audio.mel_cepstrum import MelCepstrum
from voxsphere.audio.stores import read_array
from voxsphere.audio.wave import read, write
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.corpora import prepare
from voxsphere.data.forms import Corpus
from voxsphere.data.forms import write as write_form
from voxsphere.data.spkid import spkid_lab
from voxsphere.losses.softmax import Softmax
from voxsphere.recipes import find
from voxsphere.recipes.systems.spkid_mlp import spkid_mlp
from voxsphere.train.classifier import classifier_of
from voxsphere.train.finish import finish
from voxsphere.train.logbook import read_logbook
from voxsphere.train.recipe import from_json
from voxsphere.train.run import train
from voxsphere.train.schedule import Progress

PAGE = Path(__file__).parents[3] / "docs/systems/spkid_mlp.md"
SMALL = (
    "batch_size=100", "model.encoder.in_frames=5", "model.encoder.hidden=24", "epochs=3", "learning_rate.value=0.01"
)  # fmt: skip
SPEAKERS, FILES = 4, 9


def corpus(root: Path) -> Corpus:
    """Vowels of four speakers who teach, nine each, of one who has too few, and of one who is not to teach."""
    rows = []
    for s in range(SPEAKERS + 2):
        for u in range(FILES if s != SPEAKERS else 3):
            path = root / f"{s}-{u}.wav"
            time = np.arange(6400) / 8000
            voice = sum(np.sin(2 * np.pi * n * (90 + 40 * s) * time) / n ** (0.5 + 0.4 * s) for n in range(1, 12))
            write(path, (0.1 * voice + stream("noise", s, u).normal(0, 0.01, 6400)).astype(np.float32), 8000)
            split = "train" if s <= SPEAKERS else "eval"
            rows.append(Utterance(f"{s}/{u}", str(path), f"s{s}", split=split, dataset="vowels", language="en"))
    return Corpus(Manifest(tuple(rows)), {})


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """These in the lab's form."""
    root = tmp_path_factory.mktemp("corpus")
    made = write_form("spkid_mlp", corpus(root), root / "lab")
    assert (made.utterances, made.speakers) == (SPEAKERS * FILES, SPEAKERS)
    return made.folder


@pytest.fixture(scope="module")
def finished(lab, tmp_path_factory):
    """A small run on it, to its end."""
    run = tmp_path_factory.mktemp("run")
    recipe = find("spkid_mlp", data=lab)[0].with_options(*SMALL)
    train(recipe, run, workers=0)
    finish(recipe, run)
    return run


@pytest.mark.parametrize(
    ("in_frames", "hidden", "dim", "published"),
    [(21, 100, 16, 69_858), (21, 100, 20, 78_258), (21, 100, 21, 80_358), (1, 20, 20, 4_578)],
)
def test_the_recipe_has_the_originals_number_of_parameters(in_frames, hidden, dim, published):
    settings = (f"model.encoder.in_frames={in_frames}", f"model.encoder.hidden={hidden}", f"model.features.dim={dim}")
    recipe = spkid_mlp().with_options(*settings)
    objective = recipe.objective(model=recipe.model(), num_speakers=158)
    assert isinstance(objective.head, Softmax)
    assert sum(p.numel() for p in objective.parameters()) == published


def test_the_recipe_says_what_the_original_says():
    recipe = spkid_mlp()
    assert (recipe.optimizer, recipe.batch_size, recipe.epochs, recipe.log_every) == (Adam, 1000, 20, 20)
    assert (recipe.keep, recipe.stopping().patience, recipe.validation().figure) == ("best", 10, "heldout_loss")
    assert recipe.learning_rate()(Progress(5, 10, 5)) == 1e-3
    assert (recipe.model().encoder.in_frames, recipe.model().encoder.dim, recipe.model().rate) == (21, 100, 100)
    assert from_json(recipe.to_json(), "test").hash == recipe.hash
    momentum = recipe.with_options("optimizer=SGD", "optimizer.momentum=0.5")
    assert (momentum.optimizer.func, momentum.optimizer.keywords) == (SGD, {"momentum": 0.5})


def test_an_epoch_has_as_many_windows_as_there_are_frames(lab):
    recipe, data = spkid_mlp(str(lab)), spkid_lab(root=str(lab))
    frames = [shape_of(utterance.path)[0] for utterance in data.train]
    seconds = [each / 100 for each in frames]
    sampler = recipe.sampler(data.classes, seconds, batch_size=1, seed=0)
    assert 0 <= sum(frames) - sampler.batches_per_epoch * recipe.examples().count < recipe.examples().count


def test_the_form_reads_back_as_what_it_was_made_of(lab):
    made = prepare("pav", lab)
    assert made.missing == ()
    assert {u.split for u in made.manifest} == {"train", "validation"}
    assert all(re.fullmatch(r"BLOCK\d\d/(SES\d{3})/SA\d{3}S\d\d", u.id)[1] == u.speaker for u in made.manifest)
    assert {(u.dataset, u.language) for u in made.manifest} == {("", "")}
    assert json.loads((lab / "cfg/spk2idx.json").read_text()) == {f"SES00{i}": i for i in range(SPEAKERS)}
    source = dict(line.split("\t")[:2] for line in (lab / "cfg/source.tsv").read_text().splitlines()[1:])
    front = MelCepstrum(order=19)
    for utterance in made.manifest.utterances[::7]:
        wave = read(lab.parent / f"{source[utterance.id].replace('/', '-')}.wav", rate=8000)
        expected = front(torch.from_numpy(wave)[None])[0].numpy()
        np.testing.assert_array_equal(read_array(utterance.path), expected)
    for speaker in made.manifest.speakers:
        own = {part: (lab / f"cfg/{speaker}.{part}").read_text().split() for part in ("train", "test")}
        assert [len(own["train"]), len(own["test"])] == [7, 2]
        assert {u.id for u in made.manifest if u.speaker == speaker} == {*own["train"], *own["test"]}


def test_the_form_is_the_same_again_and_is_not_laid_over_a_lab(lab, tmp_path):
    again = write_form("spkid_mlp", corpus(tmp_path), tmp_path / "lab").folder
    for name in ("cfg/all.train", "cfg/all.test", "cfg/SES002.test", "mcp/BLOCK00/SES001/SA001S03.mcp"):
        assert (again / name).read_bytes() == (lab / name).read_bytes()
    whole = corpus(tmp_path)
    assert write_form("spkid_mlp", whole, again, settings=("kind=lpc",)).folder == again
    fewer = Corpus(Manifest(tuple(u for u in whole.manifest if u.speaker != "s1")), {})
    with pytest.raises(BadInput, match="holds another corpus"):
        write_form("spkid_mlp", fewer, again)  # a list of the third session would stay of the first corpus
    (again / "form.txt").unlink()
    with pytest.raises(BadInput, match="holds something else"):
        write_form("spkid_mlp", whole, again)


def test_a_corpus_whose_speakers_have_too_little_is_refused(tmp_path):
    few = Corpus(Manifest((Utterance("a", "a.wav", "s", split="train"),)), {})
    with pytest.raises(BadInput, match="no speaker who teaches has 8 utterances or more"):
        write_form("spkid_mlp", few, tmp_path / "lab")


@pytest.mark.parametrize("kind", ["lpc", "lpcc", "mfcc"])
def test_other_front_ends_make_files_of_their_own_kind_that_the_recipe_takes(kind, tmp_path):
    lab = write_form("spkid_mlp", corpus(tmp_path), tmp_path / "lab", settings=(f"kind={kind}",)).folder
    assert {path.suffix for path in (lab / kind).rglob("SA*")} == {f".{kind}"}
    recipe = find("spkid_mlp", data=lab)[0].with_options(*SMALL, f"data.ext={kind}", "epochs=1", "batch_size=40")
    train(recipe, tmp_path / "run", workers=0)
    lines = [line for line in read_logbook(tmp_path / "run/logbook.jsonl") if line["kind"] == "validation"]
    assert np.isfinite(lines[-1]["heldout_loss"])


def test_it_learns_and_keeps_the_epoch_of_the_least_loss_on_the_validation_list(finished):
    lines = [line for line in read_logbook(finished / "logbook.jsonl") if line["kind"] == "validation"]
    lost = [line["heldout_loss"] for line in lines]
    assert len(lost) == 3
    assert (lines[-1]["identification_error"], lines[-1]["frame_error"] < 0.2) == (0, True)
    kept = [int(re.findall(r"\d+", path.stem)[0]) for path in (finished / "weights").iterdir()]
    assert kept == [int(np.argmin(lost)) + 1]
    assert (finished / "curves.svg").exists()


@pytest.mark.parametrize("ending", ["log", "tsv"])
def test_files_are_named_by_the_sum_of_their_log_posteriors(finished, lab, ending, tmp_path, voxsphere):
    assert voxsphere("prepare", "pav", lab, "--out", tmp_path / "lab.tsv").status == 0
    out = tmp_path / f"spk_classification.{ending}"
    done = voxsphere(
        "identify", tmp_path / "lab.tsv", "--split", "validation", "--run", finished, "--out", out, "--json"
    )
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["decided"], told["results"]["error"]) == (2 * SPEAKERS, 0.0)
    entries = (lab / "cfg/all.test").read_text().split()
    rows = [line.split("\t") for line in out.read_text().splitlines()]
    if ending == "log":
        assert rows == [[entry, entry.split("/")[1]] for entry in entries]
    classifier = classifier_of(finished)
    encoder, held = classifier.model.encoder, read_array(lab / "mcp" / f"{entries[0]}.mcp")
    padded = np.pad(held, ((2, 2), (0, 0)))
    summed = torch.zeros(SPEAKERS, dtype=torch.float64)
    with torch.no_grad():
        for t in range(len(held)):
            x = torch.from_numpy(padded[t : t + 5].T[None])
            frame = encoder.layers(x)[..., 0]
            summed += classifier.head.logits(frame)[0].double().log_softmax(0)
        decisions, _ = classifier.decide(Manifest((Utterance(entries[0], str(lab / f"mcp/{entries[0]}.mcp")),)))
    np.testing.assert_allclose(decisions.log_posteriors[0], summed.numpy(), rtol=1e-4, atol=1e-3)


def test_a_list_without_speakers_is_named_too(finished, lab, tmp_path, voxsphere):
    entries = (lab / "cfg/all.test").read_text().split()
    rows = "".join(f"{entry}\t{lab}/mcp/{entry}.mcp\t\n" for entry in entries)
    (tmp_path / "spk_rec.tsv").write_text(f"id\tpath\tspeaker\n{rows}")
    done = voxsphere("identify", tmp_path / "spk_rec.tsv", "--run", finished, "--out", tmp_path / "spk.log")
    assert done.status == 0, done.err
    named = [line.split("\t") for line in (tmp_path / "spk.log").read_text().splitlines()]
    assert named == [[entry, entry.split("/")[1]] for entry in entries]


def test_a_finished_run_says_how_its_speakers_are_named(finished, voxsphere):
    done = voxsphere("train", finished)
    assert done.status == 0, done.err
    assert f"voxsphere identify FEATURES --run {finished}" in done.out.replace("\n", "")
    assert "other utterances of" in done.out
    # The head knows nobody else; other speakers' features are embedded.
    assert f"voxsphere extract FEATURES --model {finished}/model --out EMBEDDINGS" in done.out.replace("\n", "")


class Broken(Exception):
    """What ends a run in the middle."""


def test_a_broken_run_goes_on_as_if_nothing_had_happened(lab, finished, tmp_path):
    recipe = find("spkid_mlp", data=lab)[0].with_options(*SMALL)

    def break_off(glance) -> None:
        if glance.step >= 22:
            raise Broken

    with pytest.raises(Broken):
        train(recipe, tmp_path, workers=0, save_steps=7, watch=break_off)
    assert train(recipe, tmp_path, workers=2, save_steps=7).resumed_at > 0
    for name in ("logbook.jsonl", *(f"weights/{path.name}" for path in (finished / "weights").iterdir())):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_the_originals_windows_are_behind_a_switch(lab, tmp_path):
    legacy = ("model.encoder.windows=legacy", "examples.edges=within")
    recipe = find("spkid_mlp", data=lab)[0].with_options(*SMALL, *legacy, "epochs=1")
    train(recipe, tmp_path, workers=0)
    data, classifier = recipe.data(), classifier_of(tmp_path)
    file = data.held_out.utterances[0]
    frames = shape_of(file.path)[0]
    assert classifier.model.frames(torch.from_numpy(read_array(file.path))[None]).shape[-1] == frames - 5


def test_the_width_is_that_of_the_files_and_another_is_told_in_one_line(lab, tmp_path):
    assert spkid_mlp(str(lab)).model().width == 20
    assert spkid_mlp("$NOWHERE").model().width == 20
    write_fmatrix(tmp_path / "mcp/BLOCK00/SES000/SA000S00.mcp", np.zeros((5, 16), np.float32))
    assert find("spkid_mlp", data=tmp_path)[0].model().width == 16
    wrong = find("spkid_mlp", data=lab)[0].with_options(*SMALL, "model.features.dim=16")
    with pytest.raises(BadInput, match=r"\.mcp: has 20 features a frame, the model takes 16; --set the dim") as caught:
        train(wrong, tmp_path / "run", workers=0)
    assert "\n" not in str(caught.value)


def test_what_a_lab_lacks_is_told(lab, tmp_path):
    def told(**options: str) -> str:
        with pytest.raises(BadInput) as caught:
            spkid_lab(**{"root": str(tmp_path / "lab"), **options})
        assert "\n" not in str(caught.value)
        return str(caught.value)

    shutil.copytree(lab, tmp_path / "lab")
    assert "'wav' is none of mcp, lpc, lpcc, mfcc, fmatrix" in told(ext="wav")
    assert "has no .lpcc file" in told(ext="lpcc")
    assert "cfg/final.train: is missing" in told(train_list="final.train")
    assert spkid_lab(root=str(tmp_path / "lab"), train_list="cfg/all.train", spk2idx="").closed
    entry = (lab / "cfg/all.train").read_text().split()[0]
    (tmp_path / "lab/mcp" / f"{entry}.mcp").unlink()
    assert f"{entry}: is missing, of 1 of the lab's files" in told()
    with pytest.raises(BadInput, match="NOWHERE is not set"):
        spkid_lab(root="$NOWHERE")


def test_every_option_on_the_page_exists():
    """Each span of code that begins with --set is one way to change the recipe, by all its settings at once."""
    spans = [span for span in re.findall(r"`(--set [^`]+)`", PAGE.read_text()) if "kind=" not in span]
    assert len(spans) > 15
    for span in spans:
        spkid_mlp().with_options(*[word for word in shlex.split(span) if word != "--set"])
