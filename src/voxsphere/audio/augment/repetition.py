"""Repetition: a recording, or a shorter piece, said over and over from a drawn place on."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform


@dataclass(frozen=True)
class FromPlace:
    """The example is cut from this place of the whole recording on (0–1), and goes on from its beginning at its end.

    The reader does it, who alone knows the whole; what it gives is taken as it is.
    """

    cut_at: float

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        return wave


@dataclass(frozen=True, kw_only=True)
class AppendItself:
    """The recording appended to itself, and begun anywhere in it.

    Hajibabaei & Dai 2018, Unified Hypersphere Embedding, arXiv:1807.08312: their repetition. Recordings shorter than
    the example are appended as often as it takes (theirs once). Stands before noise and rooms, as they advise.
    """

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> FromPlace:
        """Where it begins."""
        return FromPlace(float(random.random()))


def turned(wave: Float32[np.ndarray, " all"], place: float, samples: int) -> Float32[np.ndarray, " samples"]:
    """`samples` of the wave from `place` (0–1) on, over its end and on from its beginning as often as it takes."""
    first = min(int(place * len(wave)), len(wave) - 1)
    piece: Float32[np.ndarray, " samples"] = wave[first : first + samples]
    return piece if len(piece) == samples else np.resize(np.roll(wave, -first), samples)


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
    """Repetition of a piece of a drawn `share` of the example, whatever the recording's length.

    After the repetition of Hajibabaei & Dai 2018, for which see `AppendItself`.
    """

    share: tuple[float, float] = (0.5, 1.0)

    def __post_init__(self) -> None:
        check("Repeat.share", self.share, least=0.01, most=1)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> RepeatFrom:
        """How short a piece, and where it begins."""
        return RepeatFrom(uniform(random, self.share), float(random.random()))
