"""The combined-loss system: its networks and ways to learn over HDF5 files by speaker, embeddings, and its page."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.forms.combined_loss import combined_loss as write_form
from voxsphere.data.forms.corpus import Corpus
from voxsphere.data.manifests import open_manifest
from voxsphere.data.training_set import training_set
from voxsphere.pretrained import open_folder
from voxsphere.recipes import RECIPES, find
from voxsphere.train.finish import finish
from voxsphere.train.logbook import read_logbook
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import train
from voxsphere.zoo import NETWORKS

kaldiio = pytest.importorskip("kaldiio")
h5py = pytest.importorskip("h5py")

PAGE = (Path(__file__).parents[3] / "docs/systems/combined_loss.md").read_text(encoding="utf-8")
# Trainable parameters over 23 cepstra, without a head, and with their deltas: the specification's table.
COUNTS = {
    "resnet-mfcc": (25_682_152, 25_686_568),
    "resnet-lstm": (30_538_472, 30_542_888),
    "resnet-stats": (25_680_104, 25_684_520),
    "resnet-large": (44_674_280, 44_678_696),
    "resnet-small": (11_767_640, 11_769_848),
}
TINY = (
    "model=resnet-small", "model.encoder.first=4", "model.encoder.width=4", "model.encoder.square=false",
    "model.projection.hidden=16", "model.projection.dim=8", "examples.length=[0.3,0.6]", "epochs=1", "log_every=1",
    "data.targets=10",
)  # fmt: skip


@pytest.fixture(scope="module")
def form(speakers, tmp_path_factory) -> Path:
    """The made-up speakers in the system's own form, four of them held out."""
    files = sorted(speakers.glob("s*/*.wav"))
    utterances = tuple(Utterance(f"{p.parent.name}-{p.stem}", str(p), p.parent.name, split="train") for p in files)
    out = tmp_path_factory.mktemp("form")
    write_form(Corpus(Manifest(utterances), {}), out, hold_out=3)
    return out


@pytest.mark.parametrize("hold_out", [0, 2])
def test_one_or_more_are_held_out_and_one_or_more_are_left(hold_out, speakers, tmp_path):
    files = [next(speakers.glob(f"{name}/*.wav")) for name in sorted(p.name for p in speakers.glob("s*"))[:2]]
    utterances = tuple(Utterance(f"{p.parent.name}-{p.stem}", str(p), p.parent.name, split="train") for p in files)
    with pytest.raises(BadInput, match=f"{hold_out} of 2 speakers cannot be held out"):
        write_form(Corpus(Manifest(utterances), {}), tmp_path / "form", hold_out=hold_out)


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    lines += re.findall(r"`(voxsphere train [^`]+)`", PAGE)
    return [shlex.split(line.partition(" #")[0]) for line in lines if line.startswith("voxsphere ")]


def settings_of(command: list[str]) -> list[str]:
    return [value for option, value in pairwise(command) if option == "--set"]


WAYS = {" ".join(settings_of(command)): settings_of(command) for command in commands() if command[1] == "train"}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("deltas", [False, True])
def test_all_five_networks_stand_over_stored_features(name, deltas):
    recipe = RECIPES["combined_loss"]().with_options(f"model={name}{'-deltas' * deltas}")
    with torch.device("meta"):
        model = recipe.model()
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == COUNTS[name][deltas]
    assert (model.width, model.rate, model.dim) == (23, 100, 200)


def test_the_recipe_is_the_originals_where_the_page_does_not_say_otherwise():
    recipe = RECIPES["combined_loss"]()
    told = recipe.to_json()
    objective, schedule = told["objective"], told["learning_rate"]
    assert (objective["part"], objective["head"]["normalised"]) == ("Joint", True)
    assert (objective["head_weight"], objective["metric_weight"], objective["classified"]) == (1, 1, "all")
    assert objective["metric"]["loss"]["margin"] == objective["metric"]["miner"]["margin"] == 0.3
    assert (objective["metric"]["loss"]["distance"], objective["metric"]["loss"]["normalised"]) == ("euclidean", True)
    assert [(p["part"], p["lamb"], p["form"]) for p in objective["penalties"]] == [("KoLeo", 1e-3, "distance")]
    assert (told["optimizer"]["part"], told["optimizer"]["momentum"]) == ("SGD", 0.9)
    assert told["optimizer"]["weight_decay"] == 1e-5
    assert (schedule["part"], schedule["initial"], schedule["factor"], schedule["patience"]) == (
        "Plateau",
        1e-3,
        0.5,
        10,
    )
    assert (schedule["threshold"], schedule["minimum"]) == (1e-4, 1e-7)
    assert (told["sampler"]["utterances"], told["sampler"]["cycles"], told["batch_size"]) == (5, 10, 5 * 64)
    assert (told["epochs"], told["seed"], told["keep"]) == (500, 1, "best")
    assert recipe.model.keywords["encoder"] == NETWORKS["resnet-mfcc"].model.keywords["encoder"]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_learn_on_the_page_takes_real_steps(way, form, tmp_path):
    tiny = [setting for setting in TINY if not setting.startswith("model=")]
    ways = [setting for setting in WAYS[way] if not setting.startswith("epochs=")]
    model = [setting for setting in ways if setting.startswith("model=")] or ["model=resnet-small"]
    recipe = find("combined_loss", data=form)[0].with_options(*model, *ways, *tiny)
    assert isinstance(recipe, Recipe)
    each = getattr(recipe.sampler, "keywords", {}).get("utterances", 1)
    small = recipe.with_options(f"batch_size={4 * each}", f"sampler.{'cycles' if each > 1 else 'repeats'}=2")
    assert train(small, tmp_path, workers=0, cpu=True).steps == 9 * 2 * each // (4 * each)
    lines = list(read_logbook(tmp_path / "logbook.jsonl"))
    steps = [line for line in lines if line["kind"] == "steps"]
    assert all(np.isfinite(line["loss"]) for line in steps)
    parts = {name for name in ("classification", "metric", "KoLeo", "triplets", "accuracy") if name in steps[0]}
    told = str(recipe.to_json()["objective"])
    assert ("triplets" in parts) == ("'Mined'" in told)
    assert ("accuracy" in parts) == ("'head'" in told)
    assert ("KoLeo" in parts) == ("'KoLeo'" in told)
    if "'Dealt'" in told:
        assert {line["triplets"] for line in steps} == {4}


def test_the_loss_is_triplets_and_cross_entropy_less_the_entropy(form, tmp_path):
    recipe = find("combined_loss", data=form)[0].with_options(*TINY, "batch_size=20", "objective.penalties.0.lamb=0.5")
    train(recipe, tmp_path, workers=0, cpu=True)
    first = next(line for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "steps")
    assert first["loss"] == pytest.approx(first["metric"] + first["classification"] + first["KoLeo"], rel=1e-5)
    assert first["KoLeo"] < 0  # the farther apart, the lower


@pytest.mark.parametrize("name", ["resnet-mfcc", "resnet-large", "resnet-small", "resnet-lstm"])
def test_the_deviation_of_the_weighted_frames_is_for_who_asks_for_it(name):
    recipe = RECIPES["combined_loss"]().with_options(f"model={name}")
    for made, legacy in ((recipe, False), (recipe.with_options("model.pooling.legacy=true"), True)):
        with torch.device("meta"):
            pooling = made.model().pooling
        assert getattr(pooling, "attention", pooling).legacy is legacy


def test_it_learns(form, tmp_path):
    recipe = find("combined_loss", data=form)[0].with_options(
        *TINY, "batch_size=40", "epochs=10", "learning_rate.initial=0.05", "model.encoder.width=8"
    )
    train(recipe, tmp_path, workers=0, cpu=True)
    lines = list(read_logbook(tmp_path / "logbook.jsonl"))
    steps = [line for line in lines if line["kind"] == "steps"]
    assert steps[-1]["metric"] < 0.7 * steps[0]["metric"]
    assert steps[-1]["accuracy"] > 0.5 > steps[0]["accuracy"]


def test_in_two_stages_it_begins_from_the_classifier(form, tmp_path):
    options = (*TINY, "1.sampler.repeats=2", "2.sampler.cycles=2", "1.batch_size=9", "2.batch_size=20")
    stages = find("combined_loss/pretrained", data=form)[0].with_options(*options)
    stages.claim(tmp_path)
    for recipe, folder in stages.in_turn(tmp_path, lambda r, f: train(r, f, workers=0, cpu=True)):
        assert recipe.name in folder.folder.name
    assert {path.name for path in tmp_path.iterdir()} >= {"1-pretrain", "2-combined_loss"}


def test_a_scp_folder_is_embedded_into_kaldis_and_hdf5_files(form, tmp_path, voxsphere):
    recipe = find("combined_loss", data=form)[0].with_options(*TINY, "batch_size=20")
    train(recipe, tmp_path / "run", workers=0, cpu=True)
    model = finish(recipe, tmp_path / "run").model
    assert f"voxsphere extract FEATURES --model {model}" in voxsphere("train", tmp_path / "run").out.replace("\n", "")
    (form / "short").mkdir(exist_ok=True)
    frames = np.random.default_rng(0).normal(size=(20, 23)).astype(np.float32)
    with kaldiio.WriteHelper(f"ark,scp:{form}/short/feats.ark,{form}/short/feats.scp") as out:
        out("short", frames)
        out("tiled", np.tile(frames, (3, 1))[:50])
    pattern = f"{form}/*/**/feats.scp"
    ids = open_manifest(pattern).ids
    kept = {}
    for ending in ("ark", "scp", "h5"):
        done = voxsphere("extract", pattern, "--model", model, "--out", tmp_path / ending / f"eval.{ending}")
        assert done.status == 0, done.err
        kept[ending] = Embeddings.load(tmp_path / ending / f"eval.{ending}")
        assert kept[ending].ids == ids
        np.testing.assert_allclose(kept[ending].vectors, kept["ark"].vectors, atol=1e-6)
    theirs = dict(kaldiio.load_ark(str(tmp_path / "ark/eval.ark")))
    with h5py.File(tmp_path / "h5/eval.h5") as file:
        np.testing.assert_allclose(file["vectors"][:], np.stack([theirs[name] for name in ids]), atol=1e-6)
    # What is shorter than half a second is repeated until it is that long; whole utterances are embedded raw.
    np.testing.assert_allclose(theirs["short"], theirs["tiled"], atol=1e-5)
    utterance = next(iter(open_manifest(form / "mfcc/first")))
    held = kaldiio.load_mat(utterance.path)
    alone = open_folder(model).model.embed([held])[0]
    np.testing.assert_allclose(theirs[utterance.id], alone, atol=1e-5)


def test_files_that_are_not_there_are_told_in_a_line(form, tmp_path, monkeypatch):
    monkeypatch.delenv("COMBINED_LOSS", raising=False)
    recipe = RECIPES["combined_loss"]()
    with pytest.raises(BadInput, match="COMBINED_LOSS"):
        recipe.data()
    with pytest.raises(BadInput, match=r"train\.hdf: no such file"):
        find("combined_loss", data=tmp_path)[0].data()
    monkeypatch.setenv("COMBINED_LOSS", str(form))
    given = recipe.data()
    assert (len(given.train.speakers), len(given.held_out.speakers)) == (9, 3)
    drawn = recipe.with_options("data.valid=", "data.held_out=2").data()
    assert (len(drawn.train.speakers), len(drawn.held_out.speakers)) == (7, 2)
    by_hand = training_set(manifest=str(form / "train.hdf"), held_out_manifest=str(form / "valid.hdf"))
    assert by_hand.fingerprint == given.fingerprint
    with pytest.raises(BadInput, match=r"are in .*train\.hdf"):
        recipe.with_options("data.valid=train.hdf").data()


def test_every_option_on_the_page_is_one_of_the_recipe(voxsphere):
    table = PAGE[PAGE.index("| original | here |") :]
    named = {option for row in table.splitlines() for option in re.findall(r"`([a-z_0-9.]+)(?:=[^`]*)?`", row)}
    options = {name for name in named if name.partition(".")[0] in vars(RECIPES["combined_loss"]())}
    assert len(options) > 25
    stepped = ["learning_rate=Steps", "learning_rate.initial=1", "learning_rate.milestones=[20]"]
    start = ["start=Start", "start.model=x", "sampler=SpeakerBalanced"]
    told = str([RECIPES["combined_loss"]().with_options(*some).to_json() for some in ([], stepped, start)])
    for name in options:
        assert f"'{name.rpartition('.')[2]}'" in told or name.rpartition(".")[2].isdecimal(), name
    for _, verb, *arguments in commands():
        shown = voxsphere(*([verb, arguments[0]] if verb == "features" else [verb]), "--help").out
        assert all(option in shown for option in arguments if option.startswith("--")), verb
