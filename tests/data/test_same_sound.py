"""One recording is known again after what recordings go through, and two are not taken for one."""

import io

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.data.same_sound import RATE, SAME, likeness


def murmur(seconds: float, seed: int) -> np.ndarray:
    """Noise whose colour and level change as syllables do, at 16 kHz."""
    random = np.random.default_rng(seed)
    pieces = []
    while sum(map(len, pieces)) < seconds * 16000:
        length = int(random.integers(800, 4000))
        noise = random.normal(0, 1, length)
        tilt = float(random.uniform(-0.95, 0.95))
        pieces.append(
            np.append(noise[0], noise[1:] - tilt * noise[:-1]) * np.hanning(length) * random.uniform(0.01, 0.2)
        )
    return np.concatenate(pieces)[: round(seconds * 16000)].astype(np.float32)


def at_rate(wave: np.ndarray) -> np.ndarray:
    return soxr.resample(wave, 16000, RATE)


def through(wave: np.ndarray, form: str, subtype: str) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, wave, 16000, format=form, subtype=subtype)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


CHANGES = {
    "MP3": lambda wave: through(wave, "MP3", "MPEG_LAYER_III"),
    "Opus": lambda wave: through(wave, "OGG", "OPUS"),
    "G.711": lambda wave: through(wave, "WAV", "ULAW"),
    "louder": lambda wave: wave * 4,
    "noisy": lambda wave: wave + np.random.default_rng(1).normal(0, wave.std() / 30, len(wave)).astype(np.float32),
    "cut at the front": lambda wave: wave[7321:],
    "cut on both sides": lambda wave: wave[len(wave) // 5 : -len(wave) // 5],
    "half, as MP3": lambda wave: through(wave[: len(wave) // 2], "MP3", "MPEG_LAYER_III"),
    "padded": lambda wave: np.pad(wave, 20000),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seconds", [2.5, 8.0])
def test_a_recording_is_known_again(change, seconds):
    wave = murmur(seconds, seed=0)
    assert likeness(at_rate(wave), at_rate(CHANGES[change](wave))) > SAME


@settings(max_examples=30, deadline=None)
@given(seeds=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), seconds=st.floats(1.5, 6))
def test_two_recordings_are_not_taken_for_one(seeds, seconds):
    if seeds[0] != seeds[1]:
        assert likeness(at_rate(murmur(seconds, seeds[0])), at_rate(murmur(6, seeds[1]))) < SAME


@settings(max_examples=30, deadline=None)
@given(seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)), lengths=st.tuples(st.floats(1.2, 4), st.floats(1.2, 4)))
def test_likeness_does_not_see_which_comes_first_or_how_loud_they_are(seeds, lengths):
    one, two = (at_rate(murmur(length, seed)) for length, seed in zip(lengths, seeds, strict=True))
    alike = likeness(one, two)
    assert -1 <= alike <= 1 + 1e-9
    assert likeness(two, one) == pytest.approx(alike, abs=1e-6)
    assert likeness(one * 0.25, two) == pytest.approx(alike, abs=1e-3)
    assert likeness(one, one) == pytest.approx(1, abs=1e-9)


def test_pauses_do_not_make_recordings_alike():
    """Where both are silent they agree, which tells nothing."""
    one, two = murmur(3, 1), murmur(3, 2)
    silence = np.random.default_rng(0).normal(0, 1e-5, 32000).astype(np.float32)
    assert likeness(at_rate(np.append(silence, one)), at_rate(np.append(silence, two))) < SAME


@pytest.mark.parametrize("short", [0, 100, 255, 256, 4000])
def test_what_is_too_short_tells_nothing(short):
    assert likeness(np.ones(short, np.float32), at_rate(murmur(3, 0))) == 0
    assert likeness(at_rate(murmur(3, 0)), np.ones(short, np.float32)) == 0


def test_silence_is_like_nothing():
    assert likeness(np.zeros(3 * RATE), at_rate(murmur(3, 0))) < 0.1
    assert likeness(np.zeros(3 * RATE), np.zeros(3 * RATE)) < 0.1
