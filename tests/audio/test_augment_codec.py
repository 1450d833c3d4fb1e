"""Codecs: the round trip keeps length and place, loses what such a codec loses, and is the same each time."""

import numpy as np
import pytest
import scipy.signal
import soundfile

from voxsphere.audio.augment import codec as module
from voxsphere.audio.augment.codec import Codec, ThroughCodec
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream

RATE = 16000
SETTINGS = {"opus": (8.0, 16.0, 64.0), "mp3": (8.0, 16.0, 32.0, 96.0), "vorbis": (0.0, 0.4, 1.0)}
ALL = [(name, setting) for name in module._KINDS for setting in SETTINGS.get(name, (None,))]
MODERATE = [(name, SETTINGS.get(name, (None,))[-1]) for name in module._KINDS]


def speechlike(samples: int, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Noise below 3 kHz in syllables: every codec keeps it, and it looks like itself at one place only."""
    wave = np.random.default_rng(seed).normal(0, 1, samples)
    wave = scipy.signal.sosfilt(scipy.signal.butter(4, (200, 3000), "bandpass", fs=rate, output="sos"), wave)
    wave *= np.sin(2 * np.pi * 2 * np.arange(samples) / rate) > -0.5
    return (0.4 * wave / np.abs(wave).max()).astype(np.float32)


def lag(result: np.ndarray, wave: np.ndarray) -> int:
    return int(np.argmax(scipy.signal.correlate(result, wave, method="fft"))) - (len(wave) - 1)


@pytest.mark.parametrize(("name", "setting"), ALL)
def test_a_round_trip_keeps_length_and_place(name, setting):
    wave = speechlike(20011)
    result = ThroughCodec(name, setting)(wave, RATE)
    assert result.dtype == np.float32
    assert len(result) == len(wave)
    assert abs(lag(result, wave)) <= 1
    assert 0.5 < np.corrcoef(result, wave)[0, 1] < 0.99999


@pytest.mark.parametrize("rate", [8000, 11000, 44100])
@pytest.mark.parametrize(("name", "setting"), [("opus", 24.0), ("mp3", 32.0), ("vorbis", 0.5), ("ulaw", None)])
def test_other_rates_keep_length_and_place_too(name, setting, rate):
    wave = speechlike(rate, rate)
    result = ThroughCodec(name, setting)(wave, rate)
    assert len(result) == rate
    assert abs(lag(result, wave)) <= 2


@pytest.mark.parametrize(("name", "setting"), MODERATE)
def test_the_same_wave_comes_out_the_same(name, setting):
    wave = speechlike(8000)
    deed = ThroughCodec(name, setting)
    np.testing.assert_array_equal(deed(wave, RATE), deed(wave, RATE))


@pytest.mark.parametrize(("name", "setting"), MODERATE)
def test_silence_and_single_samples_come_back(name, setting):
    deed = ThroughCodec(name, setting)
    assert np.abs(deed(np.zeros(3000, np.float32), RATE)).max() < 1e-2
    for samples in (0, 1, 17):
        result = deed(np.full(samples, 0.1, np.float32), RATE)
        assert len(result) == samples
        assert np.isfinite(result).all()


@pytest.mark.parametrize(("name", "setting"), MODERATE)
def test_a_wave_beyond_full_scale_neither_wraps_nor_clips(name, setting):
    wave = speechlike(8000)
    wave /= np.abs(wave).max()
    plain, loud = (ThroughCodec(name, setting)(level * wave, RATE) for level in (0.9, 8.0))
    # As like itself as below full scale, and as loud as it was.
    assert np.corrcoef(loud, wave)[0, 1] > np.corrcoef(plain, wave)[0, 1] - 0.05
    assert np.sqrt(np.mean(loud**2) / np.mean(plain**2)) == pytest.approx(8 / 0.9, rel=0.05)


def test_telephone_codecs_leave_nothing_above_four_kilohertz():
    wave = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(ThroughCodec("alaw")(wave, RATE)))
    assert np.mean(spectrum[4100:] ** 2) < 1e-4 * np.mean(spectrum[500:3500] ** 2)


@pytest.mark.parametrize("name", ["ulaw", "alaw"])
def test_g711_is_as_good_as_its_standard_says(name):
    wave = speechlike(8000, 8000)
    error = ThroughCodec(name)(wave, 8000) - wave
    assert 10 * np.log10(np.mean(wave**2) / np.mean(error**2)) == pytest.approx(38, abs=3)


@pytest.mark.parametrize(("name", "wanted"), [("opus", 16.0), ("opus", 32.0), ("mp3", 32.0), ("mp3", 64.0)])
def test_the_bit_rate_is_the_one_asked_for(name, wanted, monkeypatch):
    sizes = []
    real = soundfile.read

    def measured(file, **options):
        sizes.append(len(file.getvalue()))
        return real(file, **options)

    monkeypatch.setattr(soundfile, "read", measured)
    ThroughCodec(name, wanted)(speechlike(6 * RATE), RATE)
    assert sizes[0] * 8 / 6 / 1000 == pytest.approx(wanted, rel=0.3)


def test_settings_are_drawn_for_those_that_have_them():
    deeds = [Codec(codecs=("opus", "vorbis", "gsm")).draw(stream(seed), 1, RATE) for seed in range(60)]
    for deed in deeds:
        low, high = {"opus": (8, 32), "vorbis": (0, 0.5), "gsm": (None, None)}[deed.codec]
        assert deed.setting is None if low is None else low <= deed.setting <= high
    assert {deed.codec for deed in deeds} == {"opus", "vorbis", "gsm"}


def test_unknown_codecs_are_refused_with_those_there_are():
    with pytest.raises(BadInput, match=r"no 'amr'; there are opus, vorbis"):
        Codec(codecs=("amr",))
    with pytest.raises(BadInput, match="there is none"):
        Codec(codecs=())
    with pytest.raises(BadInput, match=r"Codec\.kbps"):
        Codec(kbps=(32.0, 8.0))


def test_a_codec_that_libsndfile_lacks_is_said_in_a_line(monkeypatch):
    def fail(*arguments, **options):
        raise soundfile.LibsndfileError(1)

    monkeypatch.setattr(soundfile, "write", fail)
    with pytest.raises(BadInput, match=r"codec opus: this libsndfile has none"):
        ThroughCodec("opus", 16.0)(speechlike(100), RATE)
