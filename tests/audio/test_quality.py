"""What a recording is fit for: clipping, silence, bandwidth, level, and the sentences said about them."""

import dataclasses

import numpy as np
import pytest
import scipy.signal

from voxsphere.audio.quality import inspect, merge, warnings

RATE = 16000


def babble(seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    """Noise in bursts of 1.33 s, pauses of 0.67 s, peak about −6 dBFS, energy up to half the sampling rate."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.1, len(time))
    return (noise * (np.sin(2 * np.pi * 0.5 * time) > -0.5)).astype(np.float32)


def low_passed(wave: np.ndarray, hertz: float) -> np.ndarray:
    return scipy.signal.sosfiltfilt(scipy.signal.ellip(12, 0.1, 90, hertz, fs=RATE, output="sos"), wave)


def test_a_good_recording_gets_no_warning():
    quality = inspect(babble(), RATE, source_rate=RATE)
    assert quality.seconds == 4.0
    assert quality.speech_seconds == pytest.approx(4.0 * 2 / 3, abs=0.3)
    assert quality.clipped == 0
    assert not quality.silent
    assert quality.bandwidth_hz >= 7900
    assert quality.peak_dbfs == pytest.approx(20 * np.log10(np.abs(babble()).max()))
    assert warnings(quality, model_rate=RATE) == ()


def test_clipping_is_counted_at_full_scale():
    wave = babble() * 8
    cut = np.clip(wave, -1, 1)
    quality = inspect(cut, RATE, source_rate=RATE)
    assert quality.clipped == pytest.approx(np.mean(np.abs(wave) >= 1), rel=0.01)
    (text,) = warnings(quality, model_rate=RATE)
    assert "samples are clipped" in text


def test_clipping_is_seen_after_a_later_gain():
    tone = np.sin(2 * np.pi * 150 * np.arange(RATE) / RATE)
    cut = np.clip(2 * tone, -1, 1) * 0.3
    assert inspect(cut, RATE, source_rate=RATE).clipped == pytest.approx(np.mean(np.abs(2 * tone) >= 1), abs=0.01)
    assert inspect(0.3 * tone, RATE, source_rate=RATE).clipped == 0


def test_silence_is_one_warning_whatever_its_offset():
    for level in (0.0, 0.25):
        quality = inspect(np.full(RATE, level, np.float32), RATE, source_rate=RATE)
        assert quality.silent
        assert quality.speech_seconds == 0
        assert warnings(quality, model_rate=RATE) == ("it is silent: every sample is the same",)
    assert inspect(np.zeros(0, np.float32), RATE, source_rate=RATE).silent
    assert not inspect(np.eye(1, RATE)[0] / 32768, RATE, source_rate=RATE).silent


@pytest.mark.parametrize("hertz", [2000, 3400, 5500, 7000])
def test_bandwidth_is_the_upper_edge_of_the_energy(hertz):
    assert inspect(low_passed(babble(), hertz), RATE, source_rate=RATE).bandwidth_hz == pytest.approx(hertz, abs=200)


def test_a_whistle_above_the_voice_is_not_bandwidth():
    whistle = 0.05 * np.sin(2 * np.pi * 6500 * np.arange(4 * RATE) / RATE)
    wave = low_passed(babble(), 3400) + whistle
    assert inspect(wave, RATE, source_rate=RATE).bandwidth_hz == pytest.approx(3400, abs=200)


def test_rounding_noise_is_not_bandwidth():
    quiet = np.round(low_passed(babble(), 3000) * 0.004 * 32768) / 32768
    assert inspect(quiet, RATE, source_rate=RATE).bandwidth_hz == pytest.approx(3000, abs=250)


def test_telephone_speech_in_a_wide_file_is_told():
    quality = inspect(low_passed(babble(), 3400), RATE, source_rate=RATE)
    (text,) = warnings(quality, model_rate=RATE)
    assert text.startswith("it holds nothing above 3.")
    assert warnings(quality, model_rate=8000) == ()


def test_a_low_source_rate_is_told_once():
    quality = inspect(low_passed(babble(), 3900), RATE, source_rate=8000)
    (text,) = warnings(quality, model_rate=RATE)
    assert text == "it was sampled at 8000 Hz, the model listens at 16000 Hz"


def test_a_very_quiet_recording_is_told():
    (text,) = warnings(inspect(babble() * 0.003, RATE, source_rate=RATE), model_rate=RATE)
    assert "very quiet" in text


def test_parts_merge_into_the_whole():
    wave = np.concatenate([babble(2.0), np.zeros(2 * RATE, np.float32), np.clip(8 * babble(4.0, seed=1), -1, 1)])
    whole = inspect(wave, RATE, source_rate=44100)
    parts = [inspect(wave[i : i + 2 * RATE], RATE, source_rate=44100) for i in range(0, len(wave), 2 * RATE)]
    merged = merge(parts)
    assert dataclasses.replace(merged, speech_seconds=0, bandwidth_hz=0, clipped=0) == dataclasses.replace(
        whole, speech_seconds=0, bandwidth_hz=0, clipped=0
    )
    assert merged.clipped == pytest.approx(whole.clipped, abs=1e-9)
    assert merged.bandwidth_hz == pytest.approx(whole.bandwidth_hz, abs=100)
    assert merged.speech_seconds == pytest.approx(sum(part.speech_seconds for part in parts))
    with pytest.raises(ValueError, match="no parts"):
        merge([])


def test_a_wave_shorter_than_one_spectrum_is_inspected():
    quality = inspect(babble()[:160], RATE, source_rate=RATE)
    assert quality.seconds == 0.01
    assert 0 < quality.bandwidth_hz <= 8000
