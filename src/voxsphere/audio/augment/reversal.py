"""Time reversal."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check_probability
from voxsphere.audio.augment.nothing import Nothing


@dataclass(frozen=True)
class PlayBackwards:
    """The wave from its end to its beginning."""

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        return np.ascontiguousarray(wave[::-1])


@dataclass(frozen=True, kw_only=True)
class Reverse:
    """Played backwards with `probability` (Hajibabaei & Dai 2018, Unified Hypersphere Embedding)."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_probability("Reverse.probability", self.probability)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> PlayBackwards | Nothing:
        """Whether."""
        return PlayBackwards() if random.random() < self.probability else Nothing()
