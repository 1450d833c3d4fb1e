"""Whether two waves are one recording: re-encoded, louder, through a telephone, or cut differently."""

import numpy as np
import scipy.fft
from jaxtyping import Float, Float64
from scipy.ndimage import uniform_filter1d

RATE = 8000
"""Hz at which waves are compared: what a telephone or a low bit rate takes away is not asked for."""

SAME = 0.8
"""Likeness from which two waves are taken for one recording.

On the development corpus copies as Opus, Vorbis and MP3, at 8 kHz, under noise at 30 dB, and cut by 20 % or by half
lie at 0.92 and more (MP3 at 8 kbit/s: 0.71 to 0.95, nine in ten above 0.8); different recordings of one speaker, many
of them of the same words, at 0.73 and less in 2013 pairs.
"""

_HOP, _WINDOW = 80, 256  # samples: 10 ms and 32 ms
_EDGES = (250, 400, 600, 850, 1150, 1550, 2050, 2650, 3300)  # Hz: eight bands within the telephone's
_DEPTH_DB = 40.0  # below a band's loudest; noise and codecs change what is quieter
_SLOWEST = 51  # frames: what moves slower than half a second, such as from silence to speech, is taken off
_LEAST_SECONDS = 1.0
_LEAST_SHARE = 0.3  # of the shorter wave
_LEAST_POWER = 0.3  # of the movement of either wave, for an overlap in a pause to tell nothing


def likeness(first: Float[np.ndarray, " samples"], second: Float[np.ndarray, " others"]) -> float:
    """How alike the two waves (at `RATE` Hz) rise and fall over time in eight bands, at the best shift: −1 to 1.

    It is the correlation of their band levels' movements, in decibels, over where they overlap, which is to be a
    second, and 30 % of the shorter wave, or more. Gain and colour do not count. 0 where a wave is too short to tell.
    """
    one, two = _movement(first), _movement(second)
    least = int(max(_LEAST_SECONDS * RATE / _HOP, _LEAST_SHARE * min(len(one), len(two))))
    if min(len(one), len(two)) < least:
        return 0.0
    length = scipy.fft.next_fast_len(len(one) + len(two) - 1, real=True)
    spectra = scipy.fft.rfft(one, length, axis=0) * scipy.fft.rfft(two[::-1], length, axis=0)
    product = scipy.fft.irfft(spectra.sum(1), length)[: len(one) + len(two) - 1]
    # Shift s lays the end of `two` on frame s of `one`.
    shift = np.arange(len(product))
    begin, end = np.maximum(shift - len(two) + 1, 0), np.minimum(shift + 1, len(one))
    energy_one = _energy(one, begin, end, least)
    energy_two = _energy(two, begin - shift + len(two) - 1, end - shift + len(two) - 1, least)
    alike = np.where(end - begin >= least, product / np.sqrt(energy_one * energy_two), -1.0)
    return float(alike.max())


def _energy(
    movement: Float64[np.ndarray, "frames bands"], begin: np.ndarray, end: np.ndarray, least: int
) -> Float64[np.ndarray, " shifts"]:
    """The energy of the frames from `begin` to before `end`, and not less than a good part of what is usual."""
    total = np.append(0.0, np.cumsum((movement**2).sum(1)))
    usual = total[-1] / len(movement)
    energy: Float64[np.ndarray, " shifts"] = np.maximum(
        total[end] - total[begin], _LEAST_POWER * usual * np.maximum(end - begin, least) + 1e-9
    )
    return energy


def _movement(wave: Float[np.ndarray, " samples"]) -> Float64[np.ndarray, "frames bands"]:
    """The bands' levels in decibels, frame by frame, less what changes slowly."""
    wave = np.asarray(wave, np.float32)
    if len(wave) < _WINDOW:
        return np.zeros((0, len(_EDGES) - 1))
    cut = np.lib.stride_tricks.sliding_window_view(wave, _WINDOW)[::_HOP]
    spectrum = np.abs(scipy.fft.rfft(cut * np.hanning(_WINDOW).astype(np.float32)))
    bins = np.searchsorted(np.arange(_WINDOW // 2 + 1) * RATE / _WINDOW, _EDGES)
    power = np.add.reduceat(spectrum.astype(np.float64) ** 2, bins, axis=1)[:, :-1]
    levels = 10 * np.log10(power + 1e-12)
    levels = np.maximum(levels, levels.max(0) - _DEPTH_DB)
    moving: Float64[np.ndarray, "frames bands"] = levels - uniform_filter1d(levels, _SLOWEST, axis=0, mode="nearest")
    return moving
