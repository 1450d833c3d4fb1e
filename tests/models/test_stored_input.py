"""SpeakerModel over stored features: a matrix where others take a wave, with the same vector."""

from functools import partial

import numpy as np
import pytest
import torch
from seeded import noise, seeded
from small import small

from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank
from voxsphere.audio.stacking import Stacked
from voxsphere.audio.stored import Stored
from voxsphere.core.errors import BadInput
from voxsphere.models.speaker import SpeakerModel

FBANK = partial(Fbank, num_mels=12)
STORED = partial(Stored, dim=12)


def build(features: object, **options: object) -> SpeakerModel:
    model = partial(small(partial(Deltas, of=features)), **options)()
    model.load_state_dict(seeded(model))
    return model.eval()


def matrix(frames: int, seed: int = 0) -> np.ndarray:
    return noise(frames, 12, seed=seed).numpy()


def test_a_matrix_has_the_vector_of_the_wave_it_was_made_of():
    waves = [0.1 * noise(16000 + 1600 * i, seed=i) for i in (0, 1, 0)]
    frames = [FBANK()(wave[None])[0] for wave in waves]
    heard, read = build(FBANK).embed(waves), build(STORED).embed(frames)
    assert np.linalg.norm(heard - read, axis=1).max() < 1e-5 * np.linalg.norm(heard)


def test_seconds_are_frames():
    model = build(partial(Stored, dim=12, sample_rate=8000, hop=80))
    assert (model.rate, model.width, model.shortest, model.zeros(1.5).shape) == (100.0, 12, 1, (1, 150, 12))
    assert [cut.stop - cut.start for cut in model.windows(12001)] == [4000, 4000, 4001]
    wave = build(FBANK)
    assert (wave.rate, wave.width, wave.zeros(1.5).shape) == (16000, None, (1, 24000))


def test_the_hop_that_counts_is_that_of_what_is_stored():
    model = small(partial(Stacked, of=STORED, count=3))()
    assert (model.features.hop, model.rate, model.width) == (480, 100.0, 12)


@pytest.mark.parametrize(("short", "backwards"), [("tile", False), ("mirror", True)])
def test_short_matrices_are_repeated(short, backwards):
    model, given = build(STORED, min_seconds=0.5, short=short), matrix(21)
    turned = given[::-1] if backwards else given
    by_hand = torch.from_numpy(np.concatenate([given, turned, given])[:50].copy())
    with torch.inference_mode():
        np.testing.assert_allclose(model.embed([given])[0], model(by_hand[None])[0].numpy(), rtol=1e-5, atol=1e-6)


def test_long_matrices_are_the_average_of_their_windows():
    model, given = build(STORED, max_seconds=1.0), matrix(150)
    halves = model.embed([given[:75], given[75:]])
    np.testing.assert_allclose(model.embed([given])[0], halves.mean(0), rtol=1e-5, atol=1e-6)


def test_what_does_not_fit_is_one_line():
    def told(model: SpeakerModel, *given: np.ndarray) -> str:
        with pytest.raises(BadInput) as caught:
            model.embed(given)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    stored, heard = build(STORED), build(FBANK)
    assert told(stored, np.zeros(16000, np.float32)) == (
        "this model takes stored features [frames, 12], not an array [16000]"
    )
    assert "wave 1: this model takes stored features [frames, 12]" in told(stored, matrix(60), matrix(60)[:, 1:])
    assert "a wave has one axis" in told(heard, matrix(60))
    assert "not finite" in told(stored, np.full((60, 12), np.nan, np.float32))
    assert "holds no samples" in told(stored, matrix(0))
