"""What is done to a wave alone: each deed by its definition, and its limits that change nothing."""

import math

import numpy as np
import pytest
import scipy.signal

from voxsphere.audio.augment.bandpass import BandPass, PassBand
from voxsphere.audio.augment.bandwidth import Resample, ThroughRate
from voxsphere.audio.augment.chunks import DropChunks, Silence
from voxsphere.audio.augment.clipping import Clip, ClipLoudest
from voxsphere.audio.augment.equaliser import Equalised, Equaliser
from voxsphere.audio.augment.gain import Amplify, Volume
from voxsphere.audio.augment.notches import DropFrequencies, StopBands
from voxsphere.audio.augment.repetition import Repeat, RepeatFrom
from voxsphere.audio.augment.reversal import PlayBackwards, Reverse
from voxsphere.audio.augment.speech import KeepSpeech, speech_only
from voxsphere.audio.augment.speed import PlayAt, Speed
from voxsphere.audio.augment.tones import RemoveTones
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream

RATE = 16000


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


def tone(hertz: float, samples: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / RATE).astype(np.float32)


def response(deed, hertz: np.ndarray) -> np.ndarray:
    """The gain at some frequencies, measured on a click in the middle of two seconds."""
    click = np.eye(1, 2 * RATE, RATE, dtype=np.float32)[0]
    spectrum = np.fft.rfft(deed(click, RATE).astype(np.float64))
    return np.abs(spectrum[np.round(np.asarray(hertz) * 2).astype(int)])


# ---- speed


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.25])
def test_played_faster_is_higher_and_shorter_by_the_factor(factor):
    played = PlayAt(factor)(tone(400, 2 * RATE), RATE)
    assert len(played) == pytest.approx(2 * RATE / factor, abs=1)
    middle = slice(2000, len(played) - 2000)
    np.testing.assert_allclose(played[middle], tone(400 * factor, len(played))[middle], atol=1e-3)


def test_normal_speed_changes_nothing():
    wave = noise(100)
    assert PlayAt(1.0)(wave, RATE) is wave
    assert PlayAt(1.0).samples_needed(100) == 100


def test_speeds_are_the_listed_ones_or_all_within_a_range():
    assert {Speed().draw(stream(i), 1, RATE).factor for i in range(40)} == {0.9, 1.0, 1.1}
    drawn = [Speed(range=(0.95, 1.05)).draw(stream(i), 1, RATE).factor for i in range(100)]
    assert 0.95 <= min(drawn) < 0.96
    assert 1.04 < max(drawn) <= 1.05


# ---- level


def test_volume_is_in_decibels_and_never_clips():
    wave = noise(1000)
    np.testing.assert_allclose(Amplify(20.0)(wave, RATE), 10 * wave, rtol=1e-6)
    assert np.abs(Amplify(40.0)(wave, RATE)).max() > 10
    np.testing.assert_array_equal(Amplify(0.0)(wave, RATE), wave)
    assert all(-18 <= Volume().draw(stream(i), 1, RATE).decibels <= 6 for i in range(50))


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.99])
def test_clipping_cuts_the_share_that_was_drawn(share):
    wave = noise(20000)
    cut = ClipLoudest(share)(wave, RATE)
    level = np.abs(cut).max()
    assert np.mean(np.abs(wave) > level) == pytest.approx(share, abs=1e-4)
    np.testing.assert_array_equal(cut, np.clip(wave, -level, level))


def test_clipping_counts_no_digital_silence_and_may_cut_nothing():
    wave = np.concatenate([noise(1000), np.zeros(9000, np.float32)])
    np.testing.assert_array_equal(ClipLoudest(0.3)(wave, RATE)[:1000], ClipLoudest(0.3)(wave[:1000], RATE))
    assert ClipLoudest(0.3)(wave, RATE)[:1000].any()
    np.testing.assert_array_equal(ClipLoudest(0.0)(wave, RATE), wave)


# ---- order


@pytest.mark.parametrize("share", [1.0, 0.7, 1 / 3, 0.0101])
def test_repetition_is_the_piece_from_its_start_over_and_over(share):
    deed = RepeatFrom(share, 0.25)
    piece = noise(deed.samples_needed(1000))
    found = deed(piece, RATE)
    assert len(found) >= 1000
    np.testing.assert_array_equal(found[:1000], np.tile(piece, 102)[int(0.25 * len(piece)) :][:1000])


def test_backwards_twice_is_forwards():
    wave = noise(100)
    np.testing.assert_array_equal(PlayBackwards()(wave, RATE), wave[::-1])
    drawn = [Reverse(probability=0.3).draw(stream(i), 1, RATE) for i in range(1000)]
    assert sum(isinstance(deed, PlayBackwards) for deed in drawn) == pytest.approx(300, abs=60)


def test_dropped_chunks_are_silent_and_nothing_else():
    wave = noise(RATE) + 5
    found = Silence(((0.1, 0.05), (0.9, 0.5)))(wave, RATE)
    silent = np.zeros(RATE, bool)
    silent[1600:2400] = silent[14400:] = True
    np.testing.assert_array_equal(found == 0, silent)
    np.testing.assert_array_equal(found[~silent], wave[~silent])


def test_chunks_are_drawn_inside_the_example():
    for seed in range(100):
        deed = DropChunks(seconds=(0.05, 0.3)).draw(stream(seed), RATE // 4, RATE)
        assert 1 <= len(deed.chunks) <= 5
        for start, seconds in deed.chunks:
            assert start >= 0
            assert start + seconds <= 0.25 + 1e-9


# ---- frequencies


def test_a_band_pass_is_butterworths():
    hertz = np.array([150.0, 300, 900, 3000, 6000])
    gain = response(PassBand(300, 3000, 5), hertz)
    # |H|² = 1 / (1 + W^2n), W the analogue low-pass frequency that the bilinear transform and the band map hertz to.
    warped, low, high = (np.tan(np.pi * f / RATE) for f in (hertz, 300, 3000))
    mapped = (warped**2 - low * high) / (warped * (high - low))
    np.testing.assert_allclose(gain, 1 / np.sqrt(1 + mapped**10), atol=1e-4)


def test_order_fifteen_is_stable_and_steep():
    gain = response(PassBand(300, 3000, 15), [100, 1000, 5000])
    assert gain[0] < 1e-4
    assert gain[1] == pytest.approx(1, abs=1e-3)
    assert gain[2] < 1e-4
    assert np.abs(PassBand(300, 3000, 15)(noise(10 * RATE), RATE)).max() < 1


def test_bands_fit_below_half_the_rate():
    deed = BandPass(high=(7000.0, 9000.0)).draw(stream(0), 1, 8000)
    assert deed.high < 4000
    assert np.isfinite(deed(noise(8000), 8000)).all()
    with pytest.raises(BadInput, match="below half of 8000"):
        PassBand(300, 4000, 5)(noise(10), 8000)


def test_notches_take_out_their_bands_alone_and_do_not_delay():
    deed = StopBands(((1000.0, 400.0), (5000.0, 400.0)))
    gain = response(deed, [500, 1000, 2500, 5000, 7000])
    assert gain[[1, 3]].max() < 0.01
    np.testing.assert_allclose(gain[[0, 2, 4]], 1, atol=0.01)
    wave = noise(RATE)
    assert np.argmax(scipy.signal.correlate(deed(wave, RATE), wave)) == RATE - 1
    assert StopBands(())(wave, RATE) is wave


def test_notches_are_drawn_below_half_the_rate():
    for seed in range(100):
        deed = DropFrequencies(most=0.5).draw(stream(seed), 1, RATE)
        assert 1 <= len(deed.bands) <= 3
        assert all(200 <= centre <= 3800 and width == 400 for centre, width in deed.bands)
        assert np.isfinite(deed(noise(800), RATE)).all()
    with pytest.raises(BadInput, match="below half of 8000"):
        StopBands(((6000.0, 100.0),))(noise(100), 8000)


def test_an_equaliser_gives_each_frequency_the_gain_between_its_points_without_delay():
    decibels = (-6.0, 0.0, 6.0)
    middle = math.sqrt(100 * 8000)
    wanted = np.array([50.0, 100, math.sqrt(100 * middle), middle, math.sqrt(middle * 8000), 7999])
    gain = 20 * np.log10(response(Equalised(decibels), wanted))
    np.testing.assert_allclose(gain, [-6, -6, -3, 0, 3, 6], atol=0.05)
    wave = noise(RATE)
    assert np.argmax(scipy.signal.correlate(Equalised(decibels)(wave, RATE), wave)) == RATE - 1
    np.testing.assert_allclose(Equalised((0.0, 0.0))(wave, RATE), wave, atol=1e-6)
    with pytest.raises(BadInput, match="below half of 200"):
        Equalised(decibels)(wave, 200)


def test_the_equalisers_drawn_differ_as_much_as_asked_and_are_no_louder_on_the_whole():
    drawn = np.array([Equaliser(spread=(6.0, 6.0)).draw(stream(i), 1, RATE).gains for i in range(400)])
    np.testing.assert_allclose(drawn.mean(1), 0, atol=1e-12)
    # The mean that is taken away leaves eight ninths of the variance.
    assert drawn.std() == pytest.approx(6 * math.sqrt(8 / 9), rel=0.05)
    assert not np.any(Equaliser(spread=(0.0, 0.0)).draw(stream(0), 1, RATE).gains)


def test_a_lower_rate_keeps_what_it_can_hold_in_its_place():
    low, high = tone(1000), tone(3500)
    found = ThroughRate(6000)(low + high, RATE)
    np.testing.assert_allclose(found[2000:-2000], low[2000:-2000], atol=1e-3)
    assert ThroughRate(16000)(low, RATE) is low
    assert all(6000 <= Resample().draw(stream(i), 1, RATE).rate <= 12000 for i in range(50))


# ---- preprocessing


def test_only_speech_stays_and_it_is_repeated(babble):
    pause = np.zeros(2 * RATE, np.float32)
    wave = np.concatenate([pause, babble(2.0), pause])
    kept = speech_only(wave, RATE)
    # The detector bridges the short pauses within the two seconds, and hangs over a little.
    assert len(kept) / RATE == pytest.approx(2, abs=0.2)
    assert np.mean(kept**2) > 2 * np.mean(wave**2)
    full = KeepSpeech().draw(stream(0), len(wave), RATE)(wave, RATE)
    np.testing.assert_array_equal(full, np.resize(kept, len(wave)))


def test_where_there_is_hardly_speech_the_wave_stays():
    silence = np.zeros(RATE, np.float32)
    assert KeepSpeech()(silence, RATE) is silence
    assert len(speech_only(silence[:50], RATE)) == 0


def test_hum_is_taken_out_and_noise_like_speech_is_left():
    speech = noise(4 * RATE)
    hum = 0.3 * np.sin(2 * np.pi * 50 * np.arange(4 * RATE) / RATE + 1).astype(np.float32)
    left = RemoveTones()(speech + hum, RATE) - speech
    half = slice(2 * RATE, None)
    assert 10 * math.log10(np.mean(hum[half] ** 2) / np.mean(left[half] ** 2)) > 15


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (Speed, {"factors": ()}), (Speed, {"factors": (0.0,)}), (Speed, {"range": (1.1, 0.9)}),
        (Volume, {"decibels": (3.0, 1.0)}), (Clip, {"share": (0.0, 1.0)}), (Repeat, {"share": (0.0, 1.0)}),
        (Reverse, {"probability": 2.0}), (DropChunks, {"count": (-1, 2)}), (DropChunks, {"seconds": (-1.0, 2.0)}),
        (BandPass, {"low": (0.0, 10.0)}), (BandPass, {"high": (200.0, 3000.0)}), (BandPass, {"order": 0}),
        (Equaliser, {"spread": (-1.0, 6.0)}), (Equaliser, {"points": 1}),
        (DropFrequencies, {"width": (0.0, 1.0)}), (DropFrequencies, {"most": 0.0}), (Resample, {"rate": (1, 2)}),
        (RemoveTones, {"taps": 0}), (RemoveTones, {"step": 3.0}), (RemoveTones, {"delay": 0.0}),
    ],
)  # fmt: skip
def test_impossible_options_are_refused_by_name(make, options):
    with pytest.raises(BadInput, match=make.__name__):
        make(**options)
