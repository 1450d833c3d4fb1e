"""Voice activity: nothing in silence and steady noise, speech where speech is, at any level."""

import numpy as np
import pytest

from voxsphere.audio.vad import speech_frames, speech_seconds
from voxsphere.audio.wave import read

RATE = 16000
SPOKEN = ((0.5, 1.7), (2.4, 3.1), (4.0, 5.6))  # seconds within six


def talk(rate: int = RATE, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Six seconds with voice-like syllables at `SPOKEN`, level about −20 dBFS, and which 10 ms frames hold them."""
    time = np.arange(6 * rate) / rate
    phase = 2 * np.pi * np.cumsum(130 + 25 * np.sin(2 * np.pi * 0.7 * time)) / rate
    buzz = sum(np.cos(k * phase) / k for k in range(1, 24))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)
    spoken = np.zeros(len(time), bool)
    for start, end in SPOKEN:
        spoken |= (start <= time) & (time < end)
    hiss = np.random.default_rng(seed).standard_normal(len(time)) * 1e-3
    wave = 0.12 * buzz * syllables * spoken + hiss
    return wave.astype(np.float32), spoken[rate // 200 :: rate // 100]


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_speech_is_found_where_it_is(rate):
    wave, spoken = talk(rate)
    found = speech_frames(wave, rate)
    assert found.shape == spoken.shape
    assert (found & spoken).sum() >= 0.98 * spoken.sum()
    assert (found & ~spoken).sum() <= 0.12 * (~spoken).sum()


@pytest.mark.parametrize("snr", [20, 10, 5])
def test_speech_is_found_in_noise(snr):
    wave, spoken = talk()
    power = np.mean(np.square(wave[np.repeat(spoken, 160)]))
    noise = np.random.default_rng(1).standard_normal(len(wave)) * np.sqrt(power * 10 ** (-snr / 10))
    found = speech_frames((wave + noise).astype(np.float32), RATE)
    assert (found & spoken).sum() >= 0.9 * spoken.sum()
    assert (found & ~spoken).sum() <= 0.12 * (~spoken).sum()


@pytest.mark.parametrize("gain", [0.03, 0.3, 3.0])
def test_the_level_does_not_matter(gain):
    wave, _ = talk()
    np.testing.assert_array_equal(speech_frames(gain * wave, RATE), speech_frames(wave, RATE))


def test_silence_hum_and_steady_noise_hold_no_speech():
    time = np.arange(5 * RATE) / RATE
    random = np.random.default_rng(2)
    for wave in (
        np.zeros(5 * RATE),
        np.full(5 * RATE, 0.2),
        0.1 * np.sin(2 * np.pi * 50 * time),
        0.1 * np.sin(2 * np.pi * 300 * time),
        0.1 * random.standard_normal(5 * RATE),
        random.integers(-1, 2, 5 * RATE) / 32768,
        1e-5 * talk()[0],
    ):
        assert speech_seconds(wave.astype(np.float32), RATE) == 0.0


def test_a_click_is_no_speech():
    wave = 1e-4 * np.random.default_rng(3).standard_normal(3 * RATE)
    wave[RATE : RATE + 80] = 0.9
    assert speech_seconds(wave.astype(np.float32), RATE) == 0.0


def test_hum_under_speech_does_not_hide_it():
    wave, spoken = talk()
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(len(wave)) / RATE)
    found = speech_frames((wave + hum).astype(np.float32), RATE)
    assert (found == spoken).mean() >= 0.92


def test_short_waves_have_an_answer():
    assert speech_frames(np.zeros(0, np.float32), RATE).shape == (0,)
    assert speech_frames(np.zeros(159, np.float32), RATE).shape == (0,)
    assert speech_frames(np.ones(160, np.float32), RATE).shape == (1,)


@pytest.mark.corpus
def test_read_speech_is_mostly_speech_and_rain_is_none(corpus):
    files = sorted((corpus / "librispeech").rglob("*.opus"))[::50]
    shares = []
    for path in files:
        wave = read(path, rate=RATE)
        shares.append(speech_seconds(wave, RATE) * RATE / len(wave))
    assert len(files) >= 20
    assert np.mean((np.array(shares) >= 0.6) & (np.array(shares) <= 0.95)) >= 0.85
    rain = [speech_seconds(read(p, rate=RATE), RATE) for p in sorted((corpus / "augment/noise").glob("esc10_rain*"))]
    assert np.mean(np.array(rain) == 0) >= 0.8
