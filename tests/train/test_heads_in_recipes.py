"""Heads in recipes: named by --set, their margins scheduled, refused in one line where they cannot stand."""

import pytest
from tiny_recipe import recipe as tiny_recipe

from voxsphere.core.errors import BadInput
from voxsphere.train import checkpoint
from voxsphere.train.logbook import read_logbook
from voxsphere.train.run import train


@pytest.fixture
def tiny(speakers, monkeypatch):
    """The tiny recipe on the made-up speakers."""
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return tiny_recipe()


@pytest.mark.parametrize(
    ("settings", "buffer", "wanted"),
    [
        (("objective.head=ASoftmax", "margin=LambdaAnnealing", "margin.minimum=7"), "plain", 1000 / (1 + 0.12 * 4)),
        (("objective.head=LabelSmoothing", "objective.head.head=CurricularAam"), "head.margin", 0.0),
        (("objective.head=Focal", "margin=null"), "head.margin", 0.2),
        (("objective.head=LogisticMargin", "objective.head.scale=9", "margin=null"), "margin", 30.0),
        (("objective.head=SphereFace2", "margin.initial=0.1"), "margin", 0.1),
    ],
)
def test_a_recipe_trains_a_head_and_sets_its_margin(settings, buffer, wanted, tiny, tmp_path):
    recipe = tiny.with_options("epochs=1", "keep=last", *settings)
    train(recipe, tmp_path, workers=0)
    state = checkpoint.newest(tmp_path / "checkpoints")
    assert state is not None
    assert state["objective"][f"head.{buffer}"].item() == pytest.approx(wanted)
    assert [line["accuracy"] >= 0 for line in read_logbook(tmp_path / "logbook.jsonl") if line["kind"] == "steps"]


@pytest.mark.parametrize("wrapper", ["Focal", "LabelSmoothing"])
def test_a_wrapper_takes_only_softmaxes(wrapper, tiny):
    with pytest.raises(BadInput, match=r"objective.head.head: SphereFace2 cannot stand there; there are: .*CircleSoft"):
        tiny.with_options(f"objective.head={wrapper}", "objective.head.head=SphereFace2")


def test_a_schedule_beyond_what_a_head_can_ask_for_is_refused(tiny, tmp_path):
    recipe = tiny.with_options("margin.final=1.6", "margin.begin_epoch=1", "margin.end_epoch=1")
    with pytest.raises(BadInput, match=r"margin: 1.6 is not within 0 and 1.571"):
        train(recipe, tmp_path, workers=0)
