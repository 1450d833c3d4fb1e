"""Clipping: the loudest samples cut to one level."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform


@dataclass(frozen=True)
class ClipLoudest:
    """The loudest `share` of the samples that are not 0, cut to the level of the loudest that remains."""

    share: float

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        # Zeros do not count: of a wave that is mostly padding, more than the share would else be cut to nothing.
        loudness = np.abs(wave[wave != 0])
        count = int(self.share * len(loudness))
        if count == 0:
            return wave
        place = len(loudness) - count - 1
        level = float(np.partition(loudness, place)[place])
        clipped: Float32[np.ndarray, " samples"] = np.clip(wave, -level, level)
        return clipped


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Clipping of a drawn `share` of the samples."""

    share: tuple[float, float] = (0.0, 0.1)

    def __post_init__(self) -> None:
        check("Clip.share", self.share, least=0, most=0.99)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> ClipLoudest:
        """How large a share."""
        return ClipLoudest(uniform(random, self.share))
