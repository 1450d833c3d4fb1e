"""espeak-ng as a function: the same wave for the same voice, and voices that are what their numbers say."""

import hashlib
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voxsphere.audio.espeak import ACCENTS, Voice, espeak, version
from voxsphere.core.errors import BadInput

pytest.importorskip("espeakng_loader", reason="espeak-ng is not here: pip install 'voxsphere[synthetic]'")

TEXT = "Please open the second window before nine o'clock, and then call my brother Henry."
HOARSE = Voice(pitch=180, span=60, breath=8, tilt=-2, formants=((1, 1, 1), (1.1, 0.9, 1.2)))
LOUD = Voice(formants=((1, 6, 1),) * 6, rate=200)  # drives the library into its gain control


@pytest.fixture
def speak():
    with espeak() as speak:
        yield speak


def harmonics(wave, rate=16000):
    """Fundamental frequencies in Hz of the loud frames, by autocorrelation, and how periodic each frame is (0 to 1)."""
    size = round(0.04 * rate)
    frames = np.lib.stride_tricks.sliding_window_view(wave.astype(np.float64), size)[:: size // 2]
    frames = frames[frames.std(axis=1) > 0.3 * wave.std()]
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(frames, 4 * size)) ** 2
    correlation = np.fft.irfft(power)[:, :size] / (np.arange(size, 0, -1) / size)
    shortest, longest = rate // 450, rate // 55
    lag = shortest + correlation[:, shortest:longest].argmax(axis=1)
    periodic = correlation[np.arange(len(lag)), lag] / correlation[:, 0]
    # A period twice as long fits as well: the shortest that fits nearly as well is the period.
    for divisor in (4, 3, 2):
        shorter = np.maximum(lag // divisor, shortest)
        fits = correlation[np.arange(len(lag)), shorter] > 0.9 * correlation[np.arange(len(lag)), lag]
        lag = np.where(fits & (lag // divisor >= shortest), shorter, lag)
    return rate / lag[periodic > 0.6], periodic


def band(wave, low, high, rate=16000):
    power = np.abs(np.fft.rfft(wave)) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / rate)
    return power[(hertz >= low) & (hertz < high)].sum()


@pytest.mark.parametrize("voice", [Voice(), HOARSE, LOUD])
def test_the_same_text_and_voice_sound_the_same_whatever_was_said_before(speak, voice):
    first = speak(TEXT, voice, 3)
    before = ((TEXT[7:], HOARSE), ("Ah", LOUD), ("Oh no", Voice(pitch=300, span=200, breath=30)))
    for number, (text, other) in enumerate(before):
        speak(text, other, number)
        np.testing.assert_array_equal(speak(TEXT, voice, 3), first)


def test_a_new_process_makes_the_same_samples(speak):
    code = (
        "import sys, hashlib; from voxsphere.audio.espeak import Voice, espeak\n"
        f"with espeak() as speak: wave = speak({TEXT!r}, {HOARSE!r}, 5)\n"
        "sys.stdout.write(hashlib.sha256(wave.tobytes()).hexdigest())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == hashlib.sha256(speak(TEXT, HOARSE, 5).tobytes()).hexdigest()
    assert told.stderr == ""


def test_the_seed_draws_the_breath_and_nothing_else(speak):
    np.testing.assert_array_equal(speak(TEXT, Voice(), 1), speak(TEXT, Voice(), 2))
    assert not np.array_equal(speak(TEXT, HOARSE, 1), speak(TEXT, HOARSE, 2))


@pytest.mark.parametrize("pitch", [80.0, 110.0, 160.0, 220.0, 300.0])
@pytest.mark.parametrize("tract", [0.85, 1.0, 1.2])
def test_the_pitch_is_the_one_asked_for_in_every_tract(speak, pitch, tract):
    found, _ = harmonics(speak(TEXT, Voice(pitch=pitch, span=0.3 * pitch, tract=tract), 0))
    assert np.median(found) == pytest.approx(pitch, rel=0.05)


def test_the_melody_is_as_wide_as_asked_for(speak):
    def width(span):
        found, _ = harmonics(speak(TEXT, Voice(pitch=150, span=span), 0))
        return np.subtract(*np.percentile(found, [90, 10]))

    assert width(0) < 5
    assert 2.2 < width(90) / width(30) < 3.8


@pytest.mark.parametrize("tract", [0.85, 1.2])
def test_the_rate_is_kept_by_every_tract(speak, tract):
    slow, fast = (len(speak(TEXT, Voice(rate=rate, tract=tract), 0)) for rate in (140, 240))
    assert slow / fast == pytest.approx(240 / 140, rel=0.1)
    assert slow == pytest.approx(len(speak(TEXT, Voice(rate=140), 0)), rel=0.05)


@pytest.mark.parametrize("tract", [0.8, 0.9, 1.1, 1.25])
def test_a_tract_shifts_the_whole_spectrum_by_its_factor(speak, tract):
    grid = np.exp(np.linspace(np.log(250), np.log(5500), 400))  # even in log frequency

    def envelope(voice):
        wave = speak(TEXT, voice, 0)
        power = np.abs(np.fft.rfft(wave)) ** 2
        hertz = np.fft.rfftfreq(len(wave), 1 / 16000)
        smooth = np.convolve(power, np.hanning(1500) / 750, mode="same")  # over harmonics
        return np.log(np.interp(grid, hertz, smooth))

    one, other = envelope(Voice(span=30)), envelope(Voice(span=30, tract=tract))
    shifts = np.arange(-100, 101)
    likeness = [np.corrcoef(one[100:-100], other[100 + s : 300 + s])[0, 1] for s in shifts]
    factor = np.exp(shifts[int(np.argmax(likeness))] * np.log(grid[1] / grid[0]))
    assert factor == pytest.approx(tract, rel=0.05)


def test_formants_tilt_and_breath_do_what_they_say(speak):
    plain = speak(TEXT, Voice(), 0)
    low, high = speak(TEXT, Voice(tilt=-6), 0), speak(TEXT, Voice(tilt=4), 0)
    shares = [band(wave, 1500, 4000) / band(wave, 100, 600) for wave in (low, plain, high)]
    assert shares[0] < 0.3 * shares[1] < 0.5 * shares[2]
    clear, rough = (harmonics(speak(TEXT, Voice(breath=breath), 0))[1].mean() for breath in (0, 60))
    assert rough < clear - 0.03
    second = ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 0.2, 1.0))
    weak = speak(TEXT, Voice(formants=second), 0)
    assert band(weak, 1000, 2200) < 0.6 * band(plain, 1000, 2200)
    assert band(weak, 100, 600) == pytest.approx(band(plain, 100, 600), rel=0.2)


def test_every_accent_speaks_in_its_own_way(speak):
    waves = {speak(TEXT, Voice(accent=accent), 0).tobytes() for accent in ACCENTS}
    assert len(waves) == len(ACCENTS)


def test_another_rate_is_the_same_speech():
    with espeak() as speak:
        wide = speak(TEXT, HOARSE, 0)
    with espeak(rate=8000) as speak:
        narrow = speak(TEXT, HOARSE, 0)
    assert len(narrow) == pytest.approx(len(wide) / 2, abs=1)
    assert band(narrow, 100, 3000, 8000) * 4 == pytest.approx(band(wide, 100, 3000), rel=0.01)


def test_threads_take_turns():
    with espeak() as speak:
        expected = {pitch: speak(TEXT, Voice(pitch=pitch), 0) for pitch in (90.0, 130.0, 170.0, 210.0)}
    spoken = {}

    def say(pitch):
        with espeak() as speak:
            spoken[pitch] = speak(TEXT, Voice(pitch=pitch), 0)

    threads = [threading.Thread(target=say, args=(pitch,)) for pitch in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pitch, wave in expected.items():
        np.testing.assert_array_equal(spoken[pitch], wave)


def test_nothing_is_printed_and_nothing_left_behind(capfd, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with espeak() as speak:
        speak(TEXT, HOARSE, 0)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", " \n", "..."])
def test_a_text_with_nothing_to_say_is_refused(speak, text):
    with pytest.raises(BadInput, match="nothing to say"):
        speak(text, Voice(), 0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"accent": "en-AU"}, "accent 'en-AU' is not one of en, en-029"),
        ({"pitch": 20.0}, "pitch is 40 to 500 here, not 20.0"),
        ({"span": 120.0}, "span is 0 to 110"),
        ({"tract": 1.2, "rate": 90.0}, "rate is 96 to 450"),
        ({"tilt": float("nan")}, "tilt"),
        ({"formants": ((1.0, 1.0, 1.0),) * 10}, "9 formants, not 10"),
    ],
)
def test_a_voice_outside_its_ranges_is_refused(wrong, told):
    with pytest.raises(BadInput, match=told):
        replace(Voice(), **wrong)


def test_a_machine_without_the_synthesiser_is_told_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    for door in (version, lambda: espeak().__enter__()):
        with pytest.raises(BadInput, match=r"need espeak-ng: pip install 'voxsphere\[synthetic\]'$"):
            door()


def test_a_temporary_folder_too_deep_is_named(capfd, tmp_path, monkeypatch):
    deep = tmp_path / ("deep" * 40)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with pytest.raises(BadInput, match="path too long for espeak-ng; set TMPDIR"), espeak():
        raise AssertionError("it should not have started")
    assert capfd.readouterr() == ("", "")
    assert list(Path(deep).iterdir()) == []
