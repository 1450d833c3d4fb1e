"""Stages: each begins with what the one before it ended with, and a broken one goes on where it broke."""

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from tiny_recipe import recipe as tiny_recipe

from voxsphere.core.errors import BadInput
from voxsphere.data.samplers import SpeakersByUtterances
from voxsphere.losses.focal import Focal
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.prototypical import AngularPrototypical
from voxsphere.losses.smoothing import LabelSmoothing
from voxsphere.losses.softmax import Softmax
from voxsphere.recipes.large_margin import large_margin
from voxsphere.train import checkpoint
from voxsphere.train.objectives import Classification, Metric
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import Outcome, train
from voxsphere.train.schedule import Constant
from voxsphere.train.stages import Stages, stages_from_json, whole_name
from voxsphere.train.start import Start
from voxsphere.train.verdict import decided_in
from voxsphere.train.weights import Weights

EVERY = ("features", "encoder", "pooling", "projection")


@pytest.fixture
def tiny(speakers, monkeypatch):
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return replace(tiny_recipe(), epochs=2, keep="last", ema=None, accumulate=1)


@pytest.fixture
def three(tiny):
    """Deep Speaker's form: softmax, a metric loss, and a head on the frozen network."""
    plain = replace(tiny, name="softmax", objective=partial(Classification, head=Softmax), margin=None)
    metric = replace(
        plain, name="metric", objective=partial(Metric, metric=AngularPrototypical),
        start=partial(Start, model="stage:softmax"), sampler=partial(SpeakersByUtterances, utterances=2),
        learning_rate=partial(Constant, value=0.01),
    )  # fmt: skip
    head = replace(plain, name="head", start=partial(Start, model="stage:metric", freeze=EVERY))
    return Stages("three", (plain, metric, head))


def kept(folder: Path) -> dict[str, torch.Tensor]:
    return Weights(folder / "weights", keep="last", count=1).model()


def run(stages: Stages, folder: Path) -> list[Outcome]:
    stages.claim(folder)
    return [outcome for _, outcome in stages.in_turn(folder, lambda recipe, run: train(recipe, run, workers=0))]


def made(folder: Path) -> dict[str, bytes]:
    files = [*folder.glob("*/logbook.jsonl"), *folder.glob("*/weights/*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def stop_after(monkeypatch, steps: int):
    taken = iter(range(10_000))
    patch = monkeypatch.context()
    return patch, lambda self, *wishes: (next(taken) + 1 >= steps, *wishes)


def test_each_stage_begins_with_what_the_one_before_it_ended_with(three, tmp_path):
    assert [outcome.finished for outcome in run(three, tmp_path)] == [True] * 3
    notes = [json.loads((tmp_path / name / "data.json").read_text())["start"] for name in ("2-metric", "3-head")]
    assert [note["name"] for note in notes] == ["softmax", "metric"]
    first, second, third = (kept(tmp_path / name) for name in ("1-softmax", "2-metric", "3-head"))
    assert not torch.equal(first["projection.linear.weight"], second["projection.linear.weight"])
    assert all(torch.equal(second[name], third[name]) for name in second), "the last stage's network is frozen"
    head = three.recipes[-1]
    assert whole_name(tmp_path / "3-head", head) == f"{three.name}, head"
    assert whole_name(tmp_path / "head", head) == whole_name(tmp_path / "3-head" / "3-head", head) == "head"


def test_stages_killed_in_the_second_go_on_in_the_second(three, tmp_path, monkeypatch):
    run(three, tmp_path / "whole")
    steps = [outcome.steps for outcome in run(three, tmp_path / "whole")]
    patch, agreed = stop_after(monkeypatch, steps[0] + 3)
    with patch as patched:
        patched.setattr("voxsphere.train.signals.Wish.agreed", agreed)
        stopped = run(three, tmp_path / "broken")
    assert [outcome.finished for outcome in stopped] == [True, False]
    assert not (tmp_path / "broken" / "3-head").exists()
    again = run(three, tmp_path / "broken")
    assert [outcome.resumed_at for outcome in again] == [steps[0], 3, 0]
    assert made(tmp_path / "broken") == made(tmp_path / "whole")


def test_a_folder_of_stages_may_be_moved_and_its_stages_go_on_by_themselves(three, tmp_path):
    run(three, tmp_path / "here")
    shutil.rmtree(tmp_path / "here" / "2-metric")
    (tmp_path / "here").rename(tmp_path / "there")
    recipe = Recipe.load(tmp_path / "there" / "3-head" / "recipe.json")
    assert train(recipe, tmp_path / "there" / "3-head", workers=0).finished  # without its start
    assert [outcome.finished for outcome in run(three, tmp_path / "there")] == [True] * 3


def test_a_stage_that_is_not_what_the_next_one_began_from_is_told(three, tmp_path):
    run(three, tmp_path)
    shutil.rmtree(tmp_path / "1-softmax")
    train(replace(three.recipes[0], seed=7), tmp_path / "1-softmax", workers=0)
    with pytest.raises(BadInput, match=r"2-metric: was begun from other weights \(softmax"):
        train(three.recipes[1], tmp_path / "2-metric", workers=0)


def test_stages_read_back_from_their_json(three, tmp_path):
    three.claim(tmp_path)
    again = stages_from_json(json.loads((tmp_path / "recipe.json").read_text()), "recipe.json")
    assert again.hash == three.hash


def test_options_are_for_every_stage_or_for_one(three):
    changed = three.with_options("epochs=5", "2.learning_rate.value=0.5", "3.epochs=7")
    assert [recipe.epochs for recipe in changed.recipes] == [5, 5, 7]
    assert changed.recipes[1].learning_rate().value == 0.5
    assert changed.recipes[0].learning_rate == three.recipes[0].learning_rate


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("4.epochs=2", "--set 4.epochs=2: there is no stage 4; there are 1 (softmax), 2 (metric), 3 (head)"),
        ("0.epochs=2", "there is no stage 0"),
        ("epocs=2", "stage 1 (softmax): epocs: Recipe has no option 'epocs'; did you mean 'epochs'"),
        ("2.epocs=2", "stage 2 (metric): epocs: Recipe has no option 'epocs'"),
        (
            "objective.head.bias=false",
            "stage 2 (metric): objective.head.bias: Metric has no option 'head'; there are: metric, penalties; --set "
            "2.NAME=VALUE is for this stage alone",
        ),
        ("name=x", "three: two of its stages are named x"),
    ],
)
def test_what_cannot_be_set_names_the_stage(setting, told, three):
    with pytest.raises(BadInput) as refused:
        three.with_options(setting)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_stages_that_hang_together_in_nothing_are_refused(tiny):
    other = replace(tiny, name="other")
    with pytest.raises(
        BadInput, match=r"stage 2 \(other\) begins from nothing; give it a start, such as Start\(model='st"
    ):
        Stages("pair", (tiny, other))
    with pytest.raises(BadInput, match=r"begins from stage:tinny, which is none before it; did you mean 'tiny'"):
        Stages("pair", (tiny, replace(other, start=partial(Start, model="stage:tinny"))))
    with pytest.raises(BadInput, match="begins from stage:other, which is none before it"):
        Stages("pair", (replace(tiny, start=partial(Start, model="stage:other")),))
    with pytest.raises(BadInput, match="has no stages"):
        Stages("none", ())


def test_a_folder_of_other_stages_or_of_a_single_run_is_refused(three, tiny, tmp_path):
    three.claim(tmp_path / "three")
    with pytest.raises(BadInput, match=r"holds a run of other stages \(2\.epochs: 2 → 3\)"):
        three.with_options("2.epochs=3").claim(tmp_path / "three")
    with pytest.raises(BadInput, match=r"holds a run of other stages \(3 stages → 2\)"):
        Stages("three", three.recipes[:2]).claim(tmp_path / "three")
    train(replace(tiny, epochs=1), tmp_path / "single", workers=0)
    with pytest.raises(BadInput, match="holds the run of a single recipe"):
        three.claim(tmp_path / "single")
    with pytest.raises(BadInput, match="is no training recipe"):
        train(tiny, tmp_path / "three", workers=0)


def test_a_run_begun_from_stages_takes_the_last_of_them(three, tiny, tmp_path):
    run(three, tmp_path / "three")
    recipe = replace(tiny, epochs=1, start=partial(Start, model=str(tmp_path / "three"), freeze=EVERY))
    train(recipe, tmp_path / "run", workers=0)
    before, after = kept(tmp_path / "three" / "3-head"), kept(tmp_path / "run")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_large_margin_carries_the_head_on_without_the_faster_speakers(tiny, tmp_path):
    first = tiny.with_options("data.speeds=[0.9]", "batch_size=16")
    last = large_margin(first, seconds=0.9, margin=0.45, epochs=1, rate=0.0)
    stages = Stages("lm", (first, last))
    assert (last.name, last.batch_size, last.examples().length) == ("tiny_lm", 4, 0.9)
    run(stages, tmp_path)
    left = checkpoint.newest(tmp_path / "1-tiny" / "checkpoints")["objective"]
    taken = checkpoint.newest(tmp_path / "2-tiny_lm" / "checkpoints")["objective"]
    names = json.loads((tmp_path / "1-tiny" / "data.json").read_text())["classes"]
    own = json.loads((tmp_path / "2-tiny_lm" / "data.json").read_text())["classes"]
    assert (len(names), len(own)) == (16, 8)
    assert torch.equal(taken["head.weight"], left["head.weight"][[names.index(name) for name in own]])
    assert taken["head.margin"] == pytest.approx(0.45)


def test_a_large_margin_leaves_frozen_what_was(tiny):
    frozen = replace(tiny, start=partial(Start, model="x", freeze=("encoder",)))
    assert large_margin(frozen).start().freeze == ("encoder",)
    assert large_margin(tiny).start().freeze == ()


@pytest.mark.parametrize("wrapper", [LabelSmoothing, Focal])
def test_a_large_margin_finds_the_head_that_a_wrapper_has_by_default(wrapper, tiny):
    for head in (wrapper, partial(wrapper)):
        made = large_margin(replace(tiny, objective=partial(Classification, head=head))).objective.keywords["head"]
        assert made(in_dim=4, num_classes=3).head.margin == 0.5


def test_what_held_out_speakers_decided_in_an_earlier_stage_is_known_in_the_last(three, tmp_path):
    chosen = replace(three, recipes=tuple(replace(r, epochs=1) for r in three.recipes)).with_options("1.keep=best")
    run(chosen, tmp_path)
    for name in ("2-metric", "3-head"):
        data = json.loads((tmp_path / name / "data.json").read_text())
        recipe = json.loads((tmp_path / name / "recipe.json").read_text())
        assert decided_in(recipe, data) == ("which epoch to keep in stage softmax",)


def test_a_large_margin_finds_the_head_within_a_head_and_needs_one_with_a_margin(tiny):
    class Wrapped(torch.nn.Module):
        def __init__(self, in_dim, num_classes, *, head):
            super().__init__()

    wrapped = replace(
        tiny, objective=partial(Classification, head=partial(Wrapped, head=partial(AamSoftmax, scale=7.0)))
    )
    head = large_margin(wrapped).objective.keywords["head"].keywords["head"]
    assert head.keywords == {"scale": 7.0, "margin": 0.5}
    with pytest.raises(BadInput, match="the head of recipe tiny asks for no margin"):
        large_margin(replace(tiny, objective=partial(Classification, head=Softmax)))
    with pytest.raises(BadInput, match="the head of recipe tiny asks for no margin"):
        large_margin(replace(tiny, objective=partial(Metric, metric=AngularPrototypical)))
