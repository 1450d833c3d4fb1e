"""Voice activity from energy: which 10 ms frames rise above a recording's own background."""

import numpy as np
import scipy.fft
from jaxtyping import Bool, Float, Float64
from scipy.ndimage import binary_closing, binary_dilation, binary_opening, median_filter

_HOP = 0.010  # seconds from frame to frame
_WINDOW = 0.030  # seconds of wave a frame looks at
_BAND = (150.0, 4000.0)  # Hz: leaves out mains hum, rumble and hiss
_SILENCE_DBFS = -85.0  # band level under which nothing counts as speech
_LEAST_RANGE_DB = 9.0  # steady noise and hum swing by less between their quiet and their loud frames
_ABOVE_FLOOR = 0.3  # the threshold as a share of the way from background to speech
_MOST_ABOVE_FLOOR_DB = 15.0
_BELOW_TOP_DB = 35.0  # breath and room lie further below the loudest speech
_SHORTEST_BURST, _LONGEST_GAP, _HANG_OVER = 5, 15, 3  # frames


def speech_frames(wave: Float[np.ndarray, " samples"], rate: int) -> Bool[np.ndarray, " frames"]:
    """Which frames hold speech, one every 10 ms; `wave` is mono float ±1 at `rate` Hz.

    A frame counts where its energy between 150 and 4000 Hz rises far enough above the recording's background (the
    energies' 5th percentile) towards its loudest (the 95th, clicks smoothed away); the threshold moves with the
    recording, so its level does not matter. A recording under −85 dBFS, or whose energy hardly swings, has none.
    Bursts under 50 ms are dropped, gaps up to 150 ms bridged, and 30 ms of hang-over added on both sides. It tells
    sound from background, not speech from other sounds: barking and slamming doors count.
    """
    levels = _levels(wave, rate)
    if len(levels) == 0:
        return np.zeros(0, bool)
    smooth = median_filter(levels, size=5, mode="nearest")
    floor, top = np.percentile(smooth, [5, 95])
    # Whatever the recording's floor, nothing under absolute silence is background to rise above.
    floor = max(floor, _SILENCE_DBFS - _MOST_ABOVE_FLOOR_DB)
    if top < _SILENCE_DBFS or top - floor < _LEAST_RANGE_DB:
        return np.zeros(len(levels), bool)
    above = min(_ABOVE_FLOOR * (top - floor), _MOST_ABOVE_FLOOR_DB)
    speech = smooth > max(floor + above, top - _BELOW_TOP_DB, _SILENCE_DBFS)
    speech = binary_opening(speech, np.ones(_SHORTEST_BURST))
    padded = np.pad(speech, _LONGEST_GAP)
    speech = binary_closing(padded, np.ones(_LONGEST_GAP + 1))[_LONGEST_GAP:-_LONGEST_GAP]
    found: Bool[np.ndarray, " frames"] = binary_dilation(speech, np.ones(2 * _HANG_OVER + 1))
    return found


def speech_seconds(wave: Float[np.ndarray, " samples"], rate: int) -> float:
    """Seconds of speech in a wave, as `speech_frames` finds it."""
    return float(speech_frames(wave, rate).sum() * _HOP)


def _levels(wave: Float[np.ndarray, " samples"], rate: int) -> Float64[np.ndarray, " frames"]:
    """The band level of each frame in dBFS (a sine of full scale within the band: −3)."""
    length, hop = round(_WINDOW * rate), round(_HOP * rate)
    if len(wave) < hop:
        return np.zeros(0)
    n_fft = 1 << (length - 1).bit_length()
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    bins = np.arange(n_fft // 2 + 1) * rate / n_fft
    band = (bins >= _BAND[0]) & (bins <= _BAND[1])
    frames = len(wave) // hop
    padded = np.pad(np.asarray(wave, np.float32), (length // 2 - hop // 2, length))
    cut = np.lib.stride_tricks.sliding_window_view(padded, length)[: frames * hop : hop]
    levels = np.empty(frames)
    # Two thousand frames at a time keep the spectra in the cache, and memory bounded.
    for first in range(0, frames, 2000):
        spectrum = scipy.fft.rfft(cut[first : first + 2000] * window, n=n_fft)[:, band]
        levels[first : first + 2000] = (spectrum.real**2 + spectrum.imag**2).sum(1)
    scale = 2 / (n_fft * float((window.astype(np.float64) ** 2).sum()))
    decibels: Float64[np.ndarray, " frames"] = 10 * np.log10(levels * scale + 1e-12)
    return decibels
