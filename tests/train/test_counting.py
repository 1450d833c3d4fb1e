"""Statistics of the training data are counted before the first step, once, and stay through all that follows."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from tiny_recipe import recipe as tiny_recipe

from voxsphere.audio.features import Fbank
from voxsphere.audio.normalisation import GlobalNorm
from voxsphere.audio.wave import read
from voxsphere.core.files import read_json
from voxsphere.train.counting import count
from voxsphere.train.finish import finish
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import train
from voxsphere.train.stages import Stages
from voxsphere.train.start import STAGE, Start
from voxsphere.train.weights import Weights

FBANK = partial(Fbank, num_mels=6)


@pytest.fixture
def counted(speakers, monkeypatch) -> Recipe:
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return over(partial(GlobalNorm, of=FBANK, counted="each"))


def over(features) -> Recipe:
    recipe = replace(tiny_recipe(), epochs=1, average=1)
    return replace(recipe, model=partial(recipe.model.func, **recipe.model.keywords | {"features": features}))


def expected(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of all the training utterances' features, by NumPy."""
    waves = (read(utterance.path, rate=16000)[:160_000] for utterance in recipe.data().train)
    frames = np.concatenate([FBANK()(torch.from_numpy(wave)[None])[0].numpy() for wave in waves]).astype(np.float64)
    return frames.mean(0), frames.std(0)


def test_a_run_begins_with_the_statistics_of_its_training_data(counted, tmp_path):
    train(counted, tmp_path, workers=0)
    weights = Weights(tmp_path / "weights", keep="average", count=1).model()
    mean, deviation = expected(counted)
    np.testing.assert_allclose(weights["features.mean"].numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(weights["features.deviation"].numpy(), deviation, rtol=1e-5)
    finish(counted, tmp_path)
    assert read_json(tmp_path / "model" / "recipe.json")["features"]["counted"] == "each"


def test_numbers_that_are_given_stay(speakers, monkeypatch, tmp_path):
    monkeypatch.setenv("SPEAKERS", str(speakers))
    recipe = over(partial(GlobalNorm, of=FBANK, mean=-5.0, deviation=3.0))
    assert not count(recipe.model(), recipe.data().train)
    train(recipe, tmp_path, workers=0)
    assert set(Weights(tmp_path / "weights", keep="average", count=1).model()["features.mean"].tolist()) == {-5.0}


def test_what_wraps_a_counted_norm_counts_what_that_gives(counted):
    model = over(partial(GlobalNorm, of=partial(GlobalNorm, of=FBANK, counted="each"), counted="each")).model()
    assert count(model, counted.data().train)
    np.testing.assert_allclose(model.features.mean.numpy(), np.zeros(6), atol=1e-4)
    np.testing.assert_allclose(model.features.deviation.numpy(), np.ones(6), atol=1e-4)


def test_a_later_stage_takes_the_statistics_with_the_weights(counted, tmp_path):
    second = replace(counted, name="second", start=partial(Start, model=f"{STAGE}tiny"), seed=1)
    second = replace(second, data=partial(second.data.func, **second.data.keywords | {"speeds": (0.8,)}))
    stages = Stages("both", (counted, second))
    list(stages.in_turn(tmp_path, lambda recipe, folder: train(recipe, folder, workers=0)))
    first, then = (
        Weights(stages.folder(tmp_path, number) / "weights", keep="average", count=1).model() for number in (1, 2)
    )
    assert torch.equal(first["features.mean"], then["features.mean"])


def test_a_run_that_lost_its_checkpoints_counts_again(counted, tmp_path):
    train(counted, tmp_path, workers=0)
    for file in (tmp_path / "checkpoints").rglob("*"):
        if file.is_file():
            file.write_bytes(b"broken")
    train(counted, tmp_path, workers=0)
    weights = Weights(tmp_path / "weights", keep="average", count=1).model()
    np.testing.assert_allclose(weights["features.mean"].numpy(), expected(counted)[0], rtol=1e-5)
