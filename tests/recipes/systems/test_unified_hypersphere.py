"""Unified hypersphere: the recipe is the original's, its counts are theirs, and both protocols learn, in small."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from voxsphere.audio.augment.repetition import AppendItself
from voxsphere.audio.augment.reversal import Reverse
from voxsphere.audio.wave import write
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.core.trials import Trials
from voxsphere.data.forms import Corpus
from voxsphere.data.forms import write as write_form
from voxsphere.losses.logistic_margin import LogisticMargin
from voxsphere.losses.softmax import Softmax
from voxsphere.recipes import find
from voxsphere.recipes.systems import SYSTEMS
from voxsphere.train.classifier import classifier_of
from voxsphere.train.logbook import read_logbook
from voxsphere.train.parameters import parameter_groups
from voxsphere.train.recipe import from_json
from voxsphere.train.run import train
from voxsphere.train.schedule import Progress
from voxsphere.train.stages import Stages, stages_from_json

NAMES = ("unified_hypersphere", "unified_hypersphere/identification")
PAGE = Path(__file__).parents[3] / "docs/systems/unified_hypersphere.md"
SMALL = (
    "model.encoder.width=2", "model.encoder.units=[1,1]", "model.projection.dim=8", "examples.length=0.4",
    "batch_size=6", "sampler.batches=3", "1.epochs=2", "2.epochs=1", "log_every=1",
)  # fmt: skip
CLASSES = 1251


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Six speakers, two of them to be tried, in VoxCeleb1's tree by names."""
    root = tmp_path_factory.mktemp("corpus")
    rows = []
    for s in range(6):
        for u in range(10):
            path = root / f"{s}-{u}.wav"
            tone = np.sin(np.arange(12000) * 2 * np.pi * (200 + 300 * s) / 16000)
            write(path, (0.2 * tone + stream("noise", s, u).normal(0, 0.02, 12000)).astype(np.float32), 16000)
            rows.append(Utterance(f"{s}/{u}", str(path), f"s{s}", split="train" if s < 4 else "eval"))
    trials = Trials.from_pairs(["4/0", "4/0"], ["4/1", "5/0"], [True, False])
    corpus = Corpus(Manifest(tuple(rows)), {"tried": trials})
    return write_form("unified_hypersphere", corpus, root / "form", settings=("layout=2017",)).folder


def stages_of(name) -> Stages:
    made = SYSTEMS[name]()
    assert isinstance(made, Stages)
    return made


def counted(dim: int) -> int:
    """The numbers that the original's network files hold: ours, the classifier, and 3,712 biases that are held at 0."""
    recipe = stages_of(NAMES[0]).with_options(f"model.projection.dim={dim}").recipes[0]
    with torch.device("meta"):
        model = recipe.model()
        head = Softmax(dim, CLASSES)
    return sum(p.numel() for module in (model, head) for p in module.parameters()) + 3_712


@pytest.mark.parametrize(
    ("dim", "parameters"),
    [(64, 12_297_379), (128, 12_934_563), (256, 14_208_931), (512, 16_757_667), (1024, 21_855_139)],
)
def test_parameters_are_as_many_as_the_originals(dim, parameters):
    assert counted(dim) == parameters


def test_an_example_makes_300_frames_of_257_bands_and_8704_pooled_values():
    recipe = stages_of(NAMES[0]).recipes[0]
    samples = round(recipe.examples().longest * 16000)
    model = recipe.model().eval()
    with torch.inference_mode():
        features = model.features(torch.rand(1, samples) - 0.5)
        frames = model.encoder(features)
    assert (samples, tuple(features.shape), tuple(frames.shape)) == (48_241, (1, 300, 257), (1, 8_704, 19))


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_says_what_the_original_says(name):
    made = stages_of(name)
    softmax, margin = made.recipes
    for recipe, rate in ((softmax, 0.05), (margin, 0.005)):
        assert tuple(make().__class__ for make in recipe.augment) == (AppendItself, Reverse)
        assert recipe.augment[1]().probability == 0.5
        assert recipe.optimizer.keywords == {"momentum": 0.93, "weight_decay": 5e-4}
        sampler = recipe.sampler([0, 1], [None, None], batch_size=recipe.batch_size, seed=0)
        assert (recipe.batch_size, recipe.epochs * sampler.batches_per_epoch) == (50, 61_600)
        steps = [2_799, 2_800, 61_599]
        rates = [recipe.learning_rate()(Progress(step, 61_600, 2_800)) for step in steps]
        np.testing.assert_allclose(rates, [rate, 0.75 * rate, rate * 0.75**21])
    head = margin.objective.keywords["head"](in_dim=4, num_classes=3)
    assert isinstance(head, LogisticMargin)
    identifying = name.endswith("identification")
    assert (float(head.margin), head.scale[0].item(), head.bias is None) == (
        (30, 50, False) if identifying else (50, 100, True)
    )
    assert margin.start().head == ("carried" if identifying else "new")
    assert softmax.model.keywords["projection"].keywords.get("dropout", 0.0) == (0.0 if identifying else 0.5)
    assert stages_from_json(made.to_json(), "test").hash == made.hash


def test_rates_and_decays_are_those_of_the_originals_files():
    """The last layer learns twice as fast and decays twice as much, in stage 2 not at all; scales never decay."""
    for stage, decay in ((0, 1e-3), (1, 0.0)):
        recipe = stages_of(NAMES[1]).with_options("model.encoder.width=1", "model.projection.dim=4").recipes[stage]
        objective = recipe.objective(model=recipe.model(), num_speakers=3)
        of = {id(p): group for group in parameter_groups(objective) for p in group["params"]}
        weight, bias = (of[id(p)] for p in objective.model.projection.linear.parameters())
        assert (weight["rate"], weight["weight_decay"]) == (2.0, decay)
        assert (bias["rate"], bias["weight_decay"]) == (2.0, 0.0)
        if stage:
            assert of[id(objective.head.scale)]["weight_decay"] == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_both_stages_learn_from_the_tree_by_the_reader_of_voxceleb(name, tree, tmp_path):
    found, _ = find(name, data=tree)
    small = found.with_options(*SMALL)
    ends = [outcome for _, outcome in small.in_turn(tmp_path, lambda recipe, folder: train(recipe, folder, workers=0))]
    assert [(end.finished, end.step) for end in ends] == [(True, 6), (True, 3)]
    for stage in (1, 2):
        lines = list(read_logbook(small.folder(tmp_path, stage) / "logbook.jsonl"))
        assert all(np.isfinite(line["loss"]) for line in lines if line["kind"] == "steps")
        last = [line for line in lines if line["kind"] == "validation"][-1]
        assert 0 <= last["identification_error"] <= 1
    speakers = classifier_of(small.folder(tmp_path, 2)).speakers
    assert len(speakers) == (6 if name.endswith("identification") else 4)


@pytest.mark.parametrize(
    "settings",
    [
        ("2.objective.head=ASoftmax", "2.margin=LambdaAnnealing"),
        ("2.objective.head=AmSoftmax", "2.objective.head.margin=0.4", "2.objective.head.scale=50"),
        ("2.objective.head.normalised=false", "2.objective.head.scale=50", "2.start.head=carried"),
    ],
)
def test_other_margins_go_on_from_softmax(settings, tree, tmp_path):
    small = find(NAMES[0], data=tree)[0].with_options(*SMALL, *settings)
    ends = [outcome for _, outcome in small.in_turn(tmp_path, lambda recipe, folder: train(recipe, folder, workers=0))]
    assert [end.finished for end in ends] == [True, True]


def test_every_option_on_the_page_exists():
    """Each span of code that begins with --set is one way to change the recipe, by all its settings at once."""
    spans = re.findall(r"`(--set [^`]+)`", PAGE.read_text())
    trained = [span for span in spans if "layout=" not in span]
    assert len(trained) > 15
    for span in trained:
        settings = [word for word in shlex.split(span) if word != "--set"]
        stages_of(NAMES[0]).with_options(*settings)


@pytest.mark.parametrize("name", NAMES)
def test_each_stage_is_complete(name):
    for recipe in stages_of(name).recipes:
        recipe.check()
        assert from_json(recipe.to_json(), "test").hash == recipe.hash
