"""A finished run becomes a model folder that the other verbs take, with a card that says what was measured."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tiny_recipe import recipe as tiny_recipe

from voxsphere.core.parts import classes_of
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.pretrained import open_folder
from voxsphere.train.finish import finish
from voxsphere.train.run import train
from voxsphere.verify import Vox


class OwnPooling(StatsPooling):
    """A part that stands in no catalogue."""


@pytest.fixture
def tiny(speakers, monkeypatch):
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return tiny_recipe()


def test_a_finished_run_is_a_model_with_a_card_and_a_page(tiny, speakers, tmp_path):
    train(tiny, tmp_path, workers=0)
    done = finish(tiny, tmp_path)
    pretrained = open_folder(tmp_path / "model")
    assert pretrained.card == done.card
    assert pretrained.card.source.endswith("epochs 6 to 8 averaged")
    assert "Snyder et al. 2018" in pretrained.card.paper
    assert "40 utterances of 8 speakers" in pretrained.card.training_data
    assert f"EER {100 * done.results.eer.value:.1f} %" in pretrained.card.measured[0]
    assert pretrained.card.calibration is None  # four held-out speakers
    assert done.page.read_text().startswith("<!doctype html>")
    verdict = Vox(pretrained).verify(speakers / "s00" / "0.wav", speakers / "s00" / "1.wav")
    assert verdict.decision == "no calibration"
    assert verdict.score is not None


def test_with_ten_held_out_speakers_a_model_decides(speakers, tmp_path, monkeypatch, babble):
    monkeypatch.setenv("SPEAKERS", str(speakers))
    options = ("data.held_out=10", "data.targets=null", "epochs=2", "batch_size=4", "accumulate=1", "keep=last")
    recipe = tiny_recipe().with_options(*options)
    train(recipe, tmp_path, workers=0)
    card = finish(recipe, tmp_path).card
    assert card.calibration is not None
    assert card.errors is not None
    assert "held out from training" in card.calibration.provenance


def test_a_model_of_own_classes_is_finished_and_opened_with_them(tiny, tmp_path):
    model = partial(tiny.model.func, **{**tiny.model.keywords, "pooling": OwnPooling})
    own = replace(tiny, model=model, epochs=1, keep="last")
    train(own, tmp_path, workers=0)
    finish(own, tmp_path)
    opened = open_folder(tmp_path / "model", extra=classes_of(own.model)).model
    assert isinstance(opened.pooling, OwnPooling)
    assert np.isfinite(opened.embed([np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)])).all()
