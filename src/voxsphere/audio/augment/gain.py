"""Volume: the whole wave louder or softer."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform


@dataclass(frozen=True)
class Amplify:
    """The wave amplified by `decibels`. Beyond ±1 it stays whole; add `Clip` to cut it."""

    decibels: float

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        return wave * np.float32(10 ** (self.decibels / 20))


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A gain drawn evenly in `decibels`; Kaldi's volume perturbation has the same limits (factors 0.125 to 2)."""

    decibels: tuple[float, float] = (-18.0, 6.0)

    def __post_init__(self) -> None:
        check("Volume.decibels", self.decibels, least=-120, most=120)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> Amplify:
        """How much louder."""
        return Amplify(uniform(random, self.decibels))
