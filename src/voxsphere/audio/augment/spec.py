"""SpecAugment: spans of time and bands of frequency taken out of an example's features."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check_probability
from voxsphere.core.errors import BadInput

Spans = tuple[tuple[int, int], ...]
"""(first, width) of each span."""


@dataclass(frozen=True)
class Masks:
    """Which frames and which feature bins are taken out, as (first, width) of each span."""

    frames: int
    dim: int
    time: Spans = ()
    freq: Spans = ()

    def array(self) -> Float32[np.ndarray, "frames dim"]:
        """1 where features stay and 0 where they are masked, to multiply them by."""
        mask = np.ones((self.frames, self.dim), np.float32)
        for first, width in self.time:
            mask[first : first + width] = 0
        for first, width in self.freq:
            mask[:, first : first + width] = 0
        return mask


@dataclass(frozen=True, kw_only=True)
class SpecAugment:
    """Time and frequency masks, without the time warp (Park et al. 2019, SpecAugment, §2; defaults: its policy LB).

    `time` and `freq` are (how many, widest in frames or bins); a width is drawn evenly from 0 to the widest, then its
    place. No time mask is wider than `share` of the frames (the paper's p). The whole is done with `probability`.
    Recipes for speakers mask far less than the paper's for words: time=(1, 10), freq=(1, 8) in WeSpeaker's.
    """

    time: tuple[int, int] = (1, 100)
    freq: tuple[int, int] = (1, 27)
    share: float = 1.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        for name, pair in (("time", self.time), ("freq", self.freq)):
            if len(pair) != 2 or min(pair) < 0:
                raise BadInput(f"SpecAugment.{name}: {pair} is not how many masks and how wide the widest may be")
        check_probability("SpecAugment.probability", self.probability)
        check_probability("SpecAugment.share", self.share)

    def draw(self, random: np.random.Generator, frames: int, dim: int) -> Masks:
        """Masks for features of `frames` × `dim`."""
        if random.random() >= self.probability:
            return Masks(frames, dim)
        time = _spans(random, self.time, frames, round(self.share * frames))
        return Masks(frames, dim, time, _spans(random, self.freq, dim, dim))


def _spans(random: np.random.Generator, asked: tuple[int, int], size: int, most: int) -> Spans:
    spans = []
    for _ in range(asked[0]):
        width = int(random.integers(0, min(asked[1], most), endpoint=True))
        # Up to the very edge: the paper's half-open interval would never mask the last bin.
        spans.append((int(random.integers(0, size - width, endpoint=True)), width))
    return tuple(spans)
