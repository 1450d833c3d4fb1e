"""Speed: played faster and higher, or slower and deeper."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform
from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class PlayAt:
    """The wave `factor` times as fast: 1.1 is shorter by a tenth and higher by 1.7 semitones (soxr HQ)."""

    factor: float

    def samples_needed(self, samples: int) -> int:
        """A sample more than the quotient, as the resampler's length is rounded; none where nothing is done."""
        return samples if self.factor == 1 else math.ceil(samples * self.factor) + 1

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples_out"]:
        if self.factor == 1:
            return wave
        import soxr

        played: Float32[np.ndarray, " samples_out"] = soxr.resample(wave, self.factor, 1.0, quality="HQ")
        return played


@dataclass(frozen=True, kw_only=True)
class Speed:
    """One of the `factors`, or any between the two of `range` if it is given (Ko et al. 2015, Audio Augmentation).

    Pitch moves along. Who takes each speed for further speakers changes the manifest instead
    (`Manifest.with_speeds_as_speakers`).
    """

    factors: tuple[float, ...] = (0.9, 1.0, 1.1)
    range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.factors or not all(0.1 <= factor <= 10 for factor in self.factors):
            raise BadInput(f"Speed.factors: {self.factors} are not factors from 0.1 to 10")
        if self.range is not None:
            check("Speed.range", self.range, least=0.1, most=10)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> PlayAt:
        """How fast."""
        if self.range is not None:
            return PlayAt(uniform(random, self.range))
        return PlayAt(float(self.factors[int(random.integers(len(self.factors)))]))
