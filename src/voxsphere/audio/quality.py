"""What a recording is fit for: its level, clipping, speech and bandwidth, with warnings in plain sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from jaxtyping import Bool, Float, Float64
from scipy.ndimage import binary_opening, median_filter

from voxsphere.audio.vad import speech_seconds

_FULL_SCALE = 0.999
_STEP = 1 / 32768  # of 16-bit samples
_CLIPPED_SHARE = 0.001  # above this share clipping is worth a warning
_QUIET_DBFS = -50.0
_FRAME = 0.032  # seconds of wave a spectrum looks at
_BAND_EDGE_DB = -65.0  # under the strongest band, energy counts as gone
_TELEPHONE_HZ = 4200.0


@dataclass(frozen=True)
class Quality:
    """What was found in a recording.

    `clipped` is the share of samples (0..1) at the limit; `silent` means that every sample is the same;
    `bandwidth_hz` is the upper edge of its energy, `peak_dbfs` its highest magnitude in dB of full scale (at least
    −120); `source_rate` is the sampling rate in Hz of the file it came from.
    """

    seconds: float
    speech_seconds: float
    clipped: float
    silent: bool
    bandwidth_hz: float
    peak_dbfs: float
    source_rate: int


def inspect(wave: Float[np.ndarray, " samples"], rate: int, *, source_rate: int) -> Quality:
    """The quality of a mono wave (float ±1) at `rate` Hz that was read from a file at `source_rate` Hz."""
    wave = np.asarray(wave, np.float32)
    silent = bool(len(wave) == 0 or float(np.ptp(wave)) < _STEP / 2)
    peak = float(np.abs(wave).max(initial=0.0))
    return Quality(
        seconds=len(wave) / rate,
        speech_seconds=0.0 if silent else speech_seconds(wave, rate),
        clipped=0.0 if silent else float(_at_limit(wave, peak).mean()),
        silent=silent,
        bandwidth_hz=0.0 if silent else _bandwidth(wave, rate),
        peak_dbfs=20 * float(np.log10(max(peak, 1e-6))),
        source_rate=source_rate,
    )


def merge(parts: Sequence[Quality]) -> Quality:
    """The quality of a recording from those of its consecutive parts. Raises `ValueError` where there are none."""
    if not parts:
        raise ValueError("no parts to merge")
    seconds = sum(part.seconds for part in parts)
    return Quality(
        seconds=seconds,
        speech_seconds=sum(part.speech_seconds for part in parts),
        clipped=sum(part.clipped * part.seconds for part in parts) / max(seconds, 1e-9),
        silent=all(part.silent for part in parts),
        bandwidth_hz=max(part.bandwidth_hz for part in parts),
        peak_dbfs=max(part.peak_dbfs for part in parts),
        source_rate=min(part.source_rate for part in parts),
    )


def warnings(quality: Quality, *, model_rate: int) -> tuple[str, ...]:
    """What a user of a model at `model_rate` Hz should know of a recording, a sentence each; empty where all is well.

    Whether there is speech enough is for the decision to judge, not for this.
    """
    if quality.silent:
        return ("it is silent: every sample is the same",)
    found = []
    if quality.clipped > _CLIPPED_SHARE:
        found.append(f"{100 * quality.clipped:.1f} % of its samples are clipped; record it with less gain")
    if quality.peak_dbfs < _QUIET_DBFS:
        found.append(f"it is very quiet, its peak is at {quality.peak_dbfs:.0f} dBFS; record it with more gain")
    if quality.source_rate < model_rate:
        found.append(f"it was sampled at {quality.source_rate} Hz, the model listens at {model_rate} Hz")
    elif model_rate > 2 * _TELEPHONE_HZ and quality.bandwidth_hz < _TELEPHONE_HZ:
        found.append(f"it holds nothing above {quality.bandwidth_hz / 1000:.1f} kHz, as telephone speech does")
    return tuple(found)


def _at_limit(wave: Float[np.ndarray, " samples"], peak: float) -> Bool[np.ndarray, " samples"]:
    """Samples at full scale, and plateaus of three or more at the peak, which tell clipping before a later gain."""
    if peak < 100 * _STEP:
        return np.zeros(len(wave), bool)
    at_peak = np.abs(wave) >= peak - _STEP / 2
    # A plateau keeps its sign: a square wave's flanks do not make one longer.
    plateaus = binary_opening(at_peak & (wave > 0), np.ones(3)) | binary_opening(at_peak & (wave < 0), np.ones(3))
    limit: Bool[np.ndarray, " samples"] = plateaus | (np.abs(wave) >= _FULL_SCALE)
    return limit


def _bandwidth(wave: Float[np.ndarray, " samples"], rate: int) -> float:
    """The highest frequency in Hz whose long-term power is within 65 dB of the strongest band's."""
    length = round(_FRAME * rate)
    # Blackman-Harris: its side lobes, 92 dB down, do not reach the edge that is looked for.
    turns = 2 * np.pi * np.outer((0, 1, 2, 3), np.arange(length)) / length
    window = (np.array([0.35875, -0.48829, 0.14128, -0.01168]) @ np.cos(turns)).astype(np.float32)
    if len(wave) < length:
        wave = np.pad(wave, (0, length - len(wave)))
    cut = np.lib.stride_tricks.sliding_window_view(wave, length)[:: length // 2]
    power = np.zeros(length // 2 + 1)
    for first in range(0, len(cut), 2000):
        spectrum = scipy.fft.rfft(cut[first : first + 2000] * window)
        power += (spectrum.real**2 + spectrum.imag**2).sum(0, dtype=np.float64)
    mean = power / (len(cut) * float(np.square(window, dtype=np.float64).sum()))
    # A median wider than twice the window's main lobe passes no lone whistle, and keeps edges where they are.
    smooth: Float64[np.ndarray, " bins"] = median_filter(mean, size=17, mode="nearest")
    # A quiet recording's quantisation (a twelfth of a squared step) must not pass for sound.
    least = max(smooth.max() * 10 ** (_BAND_EDGE_DB / 10), 4 * _STEP**2 / 12)
    above = np.flatnonzero(smooth > least)
    return float(above[-1] * rate / length) if len(above) else 0.0
