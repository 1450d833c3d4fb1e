"""Repetition: a shorter piece, said over and over from a drawn place on."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform


@dataclass(frozen=True)
class RepeatFrom:
    """A piece of `share` of the result's length, repeated from the place `start` (0–1 of the piece) until it is full.

    With a share of 1 the piece is turned round: its end is heard first, then its beginning.
    """

    share: float
    start: float

    def samples_needed(self, samples: int) -> int:
        """The piece's length."""
        return max(1, math.ceil(samples * self.share))

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples_out"]:
        # Rounded up, so that no rounding leaves less than was asked for.
        return np.resize(np.roll(wave, -int(self.start * len(wave))), math.ceil(len(wave) / self.share))


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """Repetition of a piece of a drawn `share` of the example (Hajibabaei & Dai 2018, Unified Hypersphere Embedding).

    They append a recording to itself, and begin anywhere.
    """

    share: tuple[float, float] = (0.5, 1.0)

    def __post_init__(self) -> None:
        check("Repeat.share", self.share, least=0.01, most=1)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> RepeatFrom:
        """How short a piece, and where it begins."""
        return RepeatFrom(uniform(random, self.share), float(random.random()))
