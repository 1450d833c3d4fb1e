"""The NLMS filter: it is the textbook's recursion, it finds an unknown system, it takes noise and hum away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.audio.nlms import nlms
from voxsphere.core.errors import BadInput


def sample_by_sample(reference, desired, taps, step, regulariser):
    """Haykin's summary of the algorithm, as it stands there."""
    weights = np.zeros(taps)
    heard = np.zeros(taps)
    estimates, errors = [], []
    for x, d in zip(reference, desired, strict=True):
        heard = np.concatenate([[x], heard[:-1]])
        estimates.append(weights @ heard)
        errors.append(d - estimates[-1])
        weights = weights + step * errors[-1] * heard / (regulariser + heard @ heard)
    return np.array(estimates), np.array(errors), weights


@given(
    samples=st.integers(1, 200), taps=st.integers(1, 70), step=st.floats(0, 1.9), seed=st.integers(0, 1000),
    quiet=st.booleans(),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_blocks_are_the_recursion_exactly(samples, taps, step, seed, quiet):
    random = np.random.default_rng(seed)
    reference, desired = random.normal(size=(2, samples))
    reference[: samples // 2] *= not quiet
    estimate, error, weights = sample_by_sample(reference, desired, taps, step, 1e-6)
    found = nlms(reference, desired, taps=taps, step=step)
    size = 1 + np.abs(error).max()
    np.testing.assert_allclose(found.error, error, atol=1e-8 * size)
    np.testing.assert_allclose(found.estimate, estimate, atol=1e-8 * size)
    np.testing.assert_allclose(found.weights, weights, atol=1e-8 * (1 + np.abs(weights).max()))


def test_it_finds_an_unknown_system():
    system = np.array([0.5, -0.3, 0.2, 0.1])
    reference = np.random.default_rng(0).normal(size=5000)
    found = nlms(reference, np.convolve(reference, system)[:5000], taps=4)
    np.testing.assert_allclose(found.weights, system, atol=1e-6)
    assert np.abs(found.error[-100:]).max() < 1e-5


def test_noise_picked_up_elsewhere_is_cancelled():
    random = np.random.default_rng(1)
    speech = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000) * 0.1
    noise = random.normal(size=16000)
    heard = speech + np.convolve(noise, [0.6, 0.3, -0.2])[:16000]
    left = nlms(noise, heard, taps=8, step=0.02).error - speech
    before, after = np.mean((heard - speech)[8000:] ** 2), np.mean(left[8000:] ** 2)
    assert 10 * np.log10(before / after) > 20


def test_a_reference_of_another_level_gives_the_same_error():
    reference, desired = np.random.default_rng(2).normal(size=(2, 2000))
    louder = nlms(1000 * reference, desired, regulariser=1.0)
    plain = nlms(reference, desired, regulariser=1e-6)
    np.testing.assert_allclose(louder.error, plain.error, atol=1e-9)


def test_a_silent_reference_explains_nothing():
    wave = np.random.default_rng(3).normal(size=300)
    found = nlms(np.zeros(300), wave)
    np.testing.assert_array_equal(found.error, wave)
    assert not found.weights.any()


def test_nothing_gives_nothing():
    assert len(nlms(np.zeros(0), np.zeros(0)).error) == 0


def test_what_cannot_be_is_refused():
    with pytest.raises(BadInput, match="as long"):
        nlms(np.zeros(3), np.zeros(4))
    for options in ({"taps": 0}, {"step": 2.1}, {"step": -0.1}, {"regulariser": 0.0}):
        with pytest.raises(BadInput, match="give 1 or more"):
            nlms(np.zeros(3), np.zeros(3), **options)
