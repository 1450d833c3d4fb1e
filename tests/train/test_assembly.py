"""Parts made: what they cannot be made of is told in a line, before anything is written."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from accelerate import Accelerator
from tiny_recipe import recipe as tiny_recipe

from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.train.assembly import assemble
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import train


@pytest.fixture
def tiny(speakers, monkeypatch):
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return tiny_recipe()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["model=EcapaTdnn"], "model: EcapaTdnn cannot stand there; there are: SpeakerModel"),
        (["model.encoder=StatsPooling"], "there are: AretTdnn, CamPlusPlus, ContextMlp"),
        (["data=training_set"], "data: training_set cannot do without manifest"),
        (["sampler=Crops"], "there are: Bucketed, ByDuration, Drawn, Shuffled, SpeakerBalanced, SpeakersByUtterances"),
        (["objective=AamSoftmax"], "objective: AamSoftmax cannot stand there; there are: Classification"),
        (["learning_rate=Plateau"], "learning_rate: Plateau cannot do without initial"),
        (["margin=Constant"], "give it, as in --set margin.value=…"),
        (["augment=Room"], "augment: takes a list"),
        (['augment=[{"part":"Noise"}]'], "augment.0: Noise cannot do without sources"),
        (["model.encoder=EcapaTdnn", "model.encoder.width=100"], "100 channels cannot be parted into 8 equal groups"),
        (["model.encoder.width=-3"], "give 1 or more"),
        (["model.encoder.kernels=[5,3]"], "2 kernels and 5 dilations"),
        (["model.encoder=GE2ELstm"], "model: cannot take an example of 0.4 s"),
        (["model.features.num_mels=0"], "num_mels: 0 bands"),
        (["model.features.frame_shift=0"], "0.0 s at a sampling rate of 16000 Hz hold no sample"),
        (["model.features.sample_rate=0"], "at a sampling rate of 0 Hz hold no sample"),
        (["model.projection.dim=-1"], "model: cannot be made of the options given"),
        (["margin.final=2"], "margin: the schedule says 2 at step 39; margin: 2 is not within 0 and 1.571"),
        (["margin.initial=-1"], "margin: the schedule says -1 at step 0; margin: -1 is not within 0 and 1.571"),
        (["examples.length=0.05"], "model: cannot take an example of 0.05 s"),
        (["seed=99999999999999999999999"], "recipe.seed: 99999999999999999999999 is out of range"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_leaves_nothing(settings, told, tiny, tmp_path):
    with pytest.raises(BadInput) as refused:
        train(tiny.with_options(*settings), tmp_path / "run", workers=0)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


METRIC = ["objective=Metric", "objective.metric=AngularPrototypical"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ([*METRIC, "margin=null", "validation.figure=error"], "validation.figure: error is 1 − accuracy, and Metric"),
        ([*METRIC, "margin=null", "validation.figure=eer*error"], "validation.figure: error"),
        (METRIC, "recipe.margin: Metric has none here"),
        (["objective.head=Softmax"], "recipe.margin: Classification has none here"),
        (["objective.head=Focal", "objective.head.head=Softmax"], "recipe.margin: Classification has none here"),
    ],
)
def test_what_the_objective_does_not_have_is_one_line(settings, told, tiny):
    recipe = tiny.with_options(*settings)
    with pytest.raises(BadInput) as refused:
        assemble(recipe, recipe.data(), Accelerator(cpu=True))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_wrapped_head_takes_the_margin_that_it_passes_on(tiny):
    recipe = tiny.with_options("objective.head=Focal", "objective.head.head=AamSoftmax")
    assert assemble(recipe, recipe.data(), Accelerator(cpu=True)).margin is not None


def test_parts_are_judged_when_all_settings_are_made(tiny):
    changed = tiny.with_options(
        "learning_rate=Plateau", "learning_rate.initial=0.1", "margin=Constant", "margin.value=0"
    )
    assert changed.learning_rate().initial == 0.1


def test_a_recipe_on_the_disk_is_judged_alike(tiny, tmp_path):
    replace(tiny, sampler=Tdnn).save(tmp_path / "recipe.json")
    with pytest.raises(BadInput, match=r"recipe\.json: sampler: Tdnn cannot stand there"):
        Recipe.load(tmp_path / "recipe.json")


class Broken(Tdnn):
    def forward(self, features):
        return features.no_such_thing


def test_an_error_in_somebodys_own_class_keeps_its_traceback(tiny, tmp_path):
    own = replace(tiny, model=partial(tiny.model, encoder=partial(Broken, width=12, last=16)))
    with pytest.raises(AttributeError, match="no_such_thing"):
        train(own, tmp_path, workers=0)


def test_margins_are_tried_without_a_trace(tiny):
    """The head's margin is that of its option, not the schedule's last."""
    head = assemble(tiny.with_options("objective.head.margin=0.3"), tiny.data(), Accelerator(cpu=True)).objective.head
    assert tiny.margin().final != 0.3
    assert head.margin == torch.tensor(0.3)


def test_the_trial_leaves_no_trace(tiny):
    made = assemble(tiny, tiny.data(), Accelerator(cpu=True))
    drawn = torch.rand(3)
    torch.manual_seed(tiny.seed)
    model = tiny.model()
    tiny.objective(model=model, num_speakers=8)
    assert torch.equal(drawn, torch.rand(3))
    assert made.model.training
    assert all(torch.equal(value, made.model.state_dict()[name]) for name, value in model.state_dict().items())
