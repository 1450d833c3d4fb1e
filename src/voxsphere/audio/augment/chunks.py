"""Dropped chunks: short pieces of the wave are silent."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform, whole


@dataclass(frozen=True)
class Silence:
    """Silence in each chunk, (from, for how long) in seconds."""

    chunks: tuple[tuple[float, float], ...]

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        if not self.chunks:
            return wave
        rest = wave.copy()
        for start, seconds in self.chunks:
            first = round(start * sample_rate)
            rest[first : first + round(seconds * sample_rate)] = 0
        return rest


@dataclass(frozen=True, kw_only=True)
class DropChunks:
    """A drawn `count` of chunks of drawn `seconds` set to 0 (SpeechBrain's DropChunk, as in its VoxCeleb recipe)."""

    count: tuple[int, int] = (1, 5)
    seconds: tuple[float, float] = (0.0625, 0.125)

    def __post_init__(self) -> None:
        check("DropChunks.count", self.count, least=0, most=1000)
        check("DropChunks.seconds", self.seconds, least=0)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> Silence:
        """Which chunks, each within the example."""
        whole_length = samples / sample_rate
        lengths = [min(uniform(random, self.seconds), whole_length) for _ in range(whole(random, self.count))]
        return Silence(tuple((float(random.uniform(0, whole_length - length)), length) for length in lengths))
