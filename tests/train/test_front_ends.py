"""Recipes train over wrapped, learnt and self-supervised front ends as over any other."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from tiny_recipe import recipe as tiny_recipe

from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank, Spectrogram
from voxsphere.audio.learnt_filters import LinearFilters
from voxsphere.audio.normalisation import SlidingNorm, UtteranceNorm
from voxsphere.audio.self_supervised import SelfSupervised
from voxsphere.audio.stacking import Stacked
from voxsphere.data.dataset import Draw
from voxsphere.pretrained import open_folder
from voxsphere.train.feed import feed
from voxsphere.train.finish import finish
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import train
from voxsphere.train.weights import Weights

WRAPPED = partial(
    Stacked,
    of=partial(SlidingNorm, of=partial(Deltas, of=partial(Fbank, num_mels=6)), window=20, min_window=5),
    count=3,
    every=2,
)
FREE = partial(UtteranceNorm, of=partial(LinearFilters, of=partial(Spectrogram, form="power"), num_filters=8))
WAVLM = {
    "model_type": "wavlm",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
FRONTS = {
    "wrapped": WRAPPED,
    "free": FREE,
    "lora": partial(UtteranceNorm, of=partial(SelfSupervised, config=WAVLM, tune="lora", rate=0.5)),
}

INNER = {"wrapped": "SlidingNorm", "free": "LinearFilters", "lora": "SelfSupervised"}


@pytest.fixture
def over(speakers, monkeypatch):
    """The tiny recipe over a front end, with masks, for two epochs."""
    monkeypatch.setenv("SPEAKERS", str(speakers))
    recipe = replace(tiny_recipe(), epochs=2, average=1, masks=SpecAugment)
    return lambda name: replace(recipe, model=partial(recipe.model.func, **recipe.model.keywords | {
        "features": FRONTS[name]
    }))  # fmt: skip


@pytest.mark.parametrize("name", FRONTS)
def test_masks_are_drawn_for_the_features_that_the_wrapper_gives(name, over):
    recipe: Recipe = over(name)
    model = recipe.model()
    items, _ = feed(recipe, recipe.data(), model)
    item = items[Draw(index=0, seed=1, seconds=0.5)]
    assert item.mask.shape == model.features(item.wave[None])[0].shape


@pytest.mark.slow
@pytest.mark.parametrize("name", FRONTS)
def test_a_run_ends_in_a_model_that_embeds(name, over, tmp_path):
    recipe: Recipe = over(name)
    train(recipe, tmp_path, workers=0)
    finish(recipe, tmp_path)
    opened = open_folder(tmp_path / "model")
    assert opened.card.front_end.startswith(f"16000 Hz, {FRONTS[name].func.__name__}(of={INNER[name]}(")
    model = opened.model
    vectors = model.embed([0.1 * torch.randn(9000), 0.1 * torch.randn(12345)])
    assert vectors.shape == (2, 8)
    assert np.isfinite(vectors).all()


def test_free_filters_stay_non_negative_throughout_a_run(over, tmp_path):
    train(over("free"), tmp_path, workers=0)
    weight = Weights(tmp_path / "weights", keep="last", count=1).model()["features.of.weight"]
    assert weight.min() == 0


def test_a_run_leaves_what_is_frozen_as_it_was(over, tmp_path):
    recipe: Recipe = over("lora")
    train(recipe, tmp_path, workers=0)
    after = Weights(tmp_path / "weights", keep="last", count=1).model()
    torch.manual_seed(recipe.seed)
    before = recipe.model().state_dict()
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    inside = {name for name in moved if "network" in name}
    assert inside
    assert all("lora_" in name for name in inside)
    assert "features.of.weights" in moved
