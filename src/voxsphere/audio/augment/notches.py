"""Dropped frequencies: narrow bands are taken out of the wave."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform, whole
from voxsphere.audio.augment.convolve import convolved, prepared
from voxsphere.core.errors import BadInput

_SECONDS = 0.025
"""Length of one notch's filter: its edges are 130 Hz wide (3.3 over the length, for a Hamming window)."""


@dataclass(frozen=True)
class StopBands:
    """The wave without these bands, (centre, width) in Hz, by linear-phase filters whose delay is taken out."""

    bands: tuple[tuple[float, float], ...]

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        if not self.bands:
            return wave
        filters = [_notch(centre, width, sample_rate) for centre, width in self.bands]
        taps = reduce(np.convolve, filters)
        gain = np.float32(np.linalg.norm(taps))
        return gain * convolved(wave, prepared(taps.astype(np.float32), len(taps) // 2))


def _notch(centre: float, width: float, sample_rate: int) -> np.ndarray[Any, Any]:
    import scipy.signal

    half = round(_SECONDS * sample_rate / 2)
    low, high = max(centre - width / 2, 1.0), min(centre + width / 2, sample_rate / 2 - 1)
    if low >= high:
        raise BadInput(f"a band about {centre:g} Hz does not lie below half of {sample_rate} Hz; lower it")
    taps: np.ndarray[Any, Any] = scipy.signal.firwin(2 * half + 1, (low, high), pass_zero=True, fs=sample_rate)
    return taps


@dataclass(frozen=True, kw_only=True)
class DropFrequencies:
    """A drawn `count` of bands of drawn `width` (Hz), anywhere below `most` times half the sampling rate.

    The idea is SpeechBrain's DropFreq (Ravanelli et al. 2021), whose VoxCeleb recipe drops one to three bands.
    """

    count: tuple[int, int] = (1, 3)
    width: tuple[float, float] = (400.0, 400.0)
    most: float = 1.0

    def __post_init__(self) -> None:
        check("DropFrequencies.count", self.count, least=0, most=100)
        check("DropFrequencies.width", self.width, least=10)
        check("DropFrequencies.most", (self.most, self.most), least=0.01, most=1)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> StopBands:
        """Which bands, each wholly below the limit if it fits."""
        top = self.most * sample_rate / 2
        widths = [min(uniform(random, self.width), top - 2) for _ in range(whole(random, self.count))]
        return StopBands(tuple((float(random.uniform(1 + w / 2, top - 1 - w / 2)), w) for w in widths))
