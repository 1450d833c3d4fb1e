"""Rooms: a convolution is the plain one, speech stays in place, a simulated room rings as long as it was told."""

import math

import numpy as np
import pytest

from voxsphere.audio.augment.convolve import convolved, prepared
from voxsphere.audio.augment.reverb import Reverb, Reverberate
from voxsphere.audio.augment.room import PlayInRoom, Room, early_response, response
from voxsphere.audio.augment.sources import Source
from voxsphere.audio.wave import write
from voxsphere.core.errors import BadInput

RATE = 16000
SIZE, SPEAKER, MICROPHONE = (5.0, 4.0, 3.0), (1.0, 1.5, 1.2), (3.2, 2.1, 1.6)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 100, 4096, 31999, 32000])
@pytest.mark.parametrize("taps", [1, 2, 300, 5000, 20000])
def test_blocks_give_the_plain_convolution(samples, taps):
    wave, impulse = noise(samples), noise(taps, 1) * np.exp(-np.arange(taps) / 500).astype(np.float32)
    centre = int(np.argmax(np.abs(impulse)))
    plain = np.convolve(wave.astype(np.float64), impulse / np.linalg.norm(impulse.astype(np.float64)))
    found = convolved(wave, prepared(impulse))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, plain[centre : centre + samples], atol=1e-6)


def test_a_centre_that_is_told_comes_before_the_strongest_tap():
    impulse = np.array([0, 0.6, 0, -0.8], np.float32)
    wave = np.eye(1, 10, 4, dtype=np.float32)[0]
    np.testing.assert_allclose(convolved(wave, prepared(impulse)), np.roll([0, 0.6, 0, -0.8] + [0] * 6, 1), atol=1e-7)
    np.testing.assert_allclose(
        convolved(wave, prepared(impulse, 1)), np.roll([0, 0.6, 0, -0.8] + [0] * 6, 3), atol=1e-7
    )


@pytest.mark.parametrize("place", [0, 7, 900])
def test_an_echoless_room_changes_nothing_wherever_its_impulse_stands(tmp_path, place):
    write(tmp_path / "room.wav", -0.25 * np.eye(1, 1000, place, dtype=np.float32)[0], RATE)
    wave = noise(RATE)
    np.testing.assert_allclose(Reverberate(Source(str(tmp_path / "room.wav")))(wave, RATE), -wave, atol=1e-6)


def test_a_response_has_unit_energy_so_white_noise_keeps_its_level(tmp_path):
    impulse = noise(4000, 3) * np.exp(-np.arange(4000) / 800).astype(np.float32)
    write(tmp_path / "room.wav", impulse, RATE)
    wave = noise(20 * RATE)
    heard = Reverb(sources=str(tmp_path)).draw(np.random.default_rng(0), len(wave), RATE)(wave, RATE)
    assert 10 * np.log10(np.mean(heard**2) / np.mean(wave**2)) == pytest.approx(0, abs=0.2)


def test_a_response_is_read_at_the_rate_of_the_wave(tmp_path):
    write(tmp_path / "room.wav", 0.5 * np.eye(1, 2000, 300, dtype=np.float32)[0], 48000)
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)
    heard = Reverberate(Source(str(tmp_path / "room.wav")))(tone, RATE)
    # The impulse, resampled, is a sinc of unit energy, whose sum is nearly that of one tap.
    np.testing.assert_allclose(heard[500:-500], tone[500:-500], atol=0.06)


def test_a_silent_response_is_refused(tmp_path):
    write(tmp_path / "room.wav", np.zeros(1000, np.float32), RATE)
    with pytest.raises(BadInput, match=r"room\.wav: is silent"):
        Reverberate(Source(str(tmp_path / "room.wav")))(noise(100), RATE)


@pytest.mark.parametrize("reflection", [0.9, 0.5])
def test_early_reflections_are_those_of_pyroomacoustics(reflection):
    pyroomacoustics = pytest.importorskip("pyroomacoustics")
    kept = pyroomacoustics.constants.get("rir_hpf_enable")
    pyroomacoustics.constants.set("rir_hpf_enable", False)
    try:
        material = pyroomacoustics.Material(1 - reflection**2)
        room = pyroomacoustics.ShoeBox(SIZE, fs=RATE, materials=material, max_order=12)
        room.add_source(SPEAKER)
        room.add_microphone(MICROPHONE)
        room.compute_rir()
    finally:
        pyroomacoustics.constants.set("rir_hpf_enable", kept)
    theirs = room.rir[0][0][:800] / (4 * math.pi)  # which it leaves out
    ours = early_response(SIZE, reflection, SPEAKER, MICROPHONE, 0.06, RATE)[:800]
    # Below 6 kHz: how an arrival between two samples is rounded off near half the rate is each one's own.
    band = slice(0, 300)
    np.testing.assert_allclose(
        np.fft.rfft(ours)[band], np.fft.rfft(theirs)[band], atol=0.002 * np.abs(np.fft.rfft(theirs)).max()
    )


def test_the_direct_sound_arrives_by_its_distance():
    found = early_response(SIZE, 0.0, SPEAKER, (1.0, 1.5, 1.2 + 343 / RATE * 50), 0.02, RATE)
    expected = np.zeros(len(found))
    expected[40 + 50] = 1 / (4 * math.pi * 343 / RATE * 50)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("size", "rt60"), [((3.5, 4.0, 2.5), 0.2), ((5.0, 6.0, 3.0), 0.4), ((8.0, 6.0, 3.0), 0.7), ((3.0, 3.0, 2.3), 0.8)]
)
def test_a_room_rings_as_long_as_it_was_told(size, rt60):
    impulse = response(size, rt60, (1.0, 1.2, 1.3), (2.3, 2.1, 1.4), 3, RATE)
    # Schroeder's backward integral falls by 30 dB, from −5 dB on, in half of the time.
    decay = 10 * np.log10(np.cumsum(impulse[::-1] ** 2)[::-1] / np.sum(impulse**2))
    fall = np.flatnonzero((decay <= -5) & (decay >= -35))
    assert -60 / np.polyfit(fall / RATE, decay[fall], 1)[0] == pytest.approx(rt60, rel=0.05)


@pytest.mark.parametrize(
    ("size", "rt60"), [((4.0, 5.0, 3.0), 0.2), ((4.0, 5.0, 3.0), 0.6), ((7.0, 6.0, 3.0), 0.4), ((3.0, 3.0, 2.3), 0.8)]
)
@pytest.mark.parametrize("after", [0.04, 0.06])
def test_reflections_and_the_noise_after_them_are_as_loud_as_a_diffuse_field(size, rt60, after):
    random = np.random.default_rng(0)
    ratios = []
    for seed in range(30):
        source, microphone = (tuple(random.uniform(0.6, length - 0.6) for length in size) for _ in range(2))
        time = math.dist(source, microphone) / 343 + after
        place = 40 + round(time * RATE)
        power = np.mean(response(size, rt60, source, microphone, seed, RATE)[place - 150 : place + 150] ** 2)
        # 4π c³ t² / V images a second, each of power 1 / (4π c t)², less 60 dB in rt60.
        ratios.append(power / (343 / (4 * math.pi * math.prod(size) * RATE) * 10 ** (-6 * time / rt60)))
    assert 10 * np.log10(np.mean(ratios)) == pytest.approx(0, abs=1)


def test_late_reverberation_goes_on_at_the_level_of_the_reflections():
    impulse = response((4.0, 5.0, 3.0), 0.6, (1.0, 1.2, 1.3), (2.3, 2.1, 1.4), 1, RATE)
    change = 40 + round((math.dist((1.0, 1.2, 1.3), (2.3, 2.1, 1.4)) / 343 + 0.05) * RATE)
    before, after = (np.mean(part**2) for part in (impulse[change - 160 : change], impulse[change : change + 160]))
    # 10 ms further on, a room of 0.6 s is a decibel softer.
    assert 10 * np.log10(before / after) == pytest.approx(1, abs=2)


def test_a_simulated_room_does_not_delay_the_direct_sound():
    click = np.eye(1, 8000, 1000, dtype=np.float32)[0]
    for seed in range(20):
        deed = Room(rt60=(0.2, 0.3)).draw(np.random.default_rng(seed), 8000, RATE)
        heard = deed(click, RATE)
        assert np.abs(heard[:998]).max() < 0.5 * np.abs(heard).max()
        assert np.abs(heard[998:1003]).max() > 0.8 * np.abs(heard).max()


def test_drawn_rooms_keep_to_their_limits():
    deeds = [Room().draw(np.random.default_rng(seed), 1, RATE) for seed in range(200)]
    sizes, speakers, microphones = (
        np.array([getattr(d, name) for d in deeds]) for name in ("size", "source", "microphone")
    )
    assert (sizes >= (3.0, 3.0, 2.3)).all()
    assert (sizes <= (10.0, 8.0, 4.0)).all()
    assert sizes[:, 0].max() > 9
    for places in (speakers, microphones):
        assert (places >= 0.5).all()
        assert (places <= sizes - 0.5).all()
    assert (np.linalg.norm(speakers - microphones, axis=1) >= 0.3).all()
    assert all(0.1 <= deed.rt60 <= 0.8 for deed in deeds)


def test_another_seed_is_another_tail_of_the_same_room():
    one, other = (response(SIZE, 0.4, SPEAKER, MICROPHONE, seed, RATE) for seed in (1, 2))
    change = 40 + round((math.dist(SPEAKER, MICROPHONE) / 343 + 0.05) * RATE)
    np.testing.assert_array_equal(one[:change], other[:change])
    assert not np.array_equal(one[change:], other[change:])


def test_rooms_work_at_other_rates():
    for rate in (8000, 44100):
        deed = PlayInRoom(SIZE, 0.3, SPEAKER, MICROPHONE, 0)
        assert np.isfinite(deed(noise(rate), rate)).all()


@pytest.mark.parametrize(
    "options", [{"smallest": (1.0, 3.0, 3.0)}, {"largest": (2.5, 8.0, 4.0)}, {"rt60": (0.5, 0.2)}, {"rt60": (0.0, 0.2)}]
)
def test_impossible_rooms_are_refused(options):
    with pytest.raises(BadInput, match="Room"):
        Room(**options)
