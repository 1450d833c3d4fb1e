"""Where in an utterance crops are taken: how many of them, and whether they may reach beyond its ends."""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float32

from voxsphere.core.errors import BadInput

Edges = Literal["within", "zeros"]


@dataclass(frozen=True)
class Places:
    """`count` crops at drawn places, no place twice as long as there are enough.

    edges="within": crops lie in the utterance, and one that is shorter is repeated. "zeros": a crop lies around each
    sample or frame, with zeros beyond both ends, so there are as many places as samples or frames.
    """

    count: int = 1
    edges: Edges = "within"

    def __post_init__(self) -> None:
        if self.count < 1:
            raise BadInput(f"{self.count} crops of an utterance are none; give a count of 1 or more")
        if self.edges not in get_args(Edges):
            raise BadInput(f"no edges {self.edges!r}; there are: {', '.join(get_args(Edges))}")

    def cut(
        self, held: Float32[np.ndarray, "samples *dim"], length: int, random: np.random.Generator
    ) -> Float32[np.ndarray, "crops length *dim"]:
        """The crops of what is held, `length` samples or frames each: copies, as others may hold the same."""
        if self.edges == "zeros":
            around: list[Any] = [(length // 2, length // 2), *[(0, 0)] * (held.ndim - 1)]
            starts, held = self._drawn(len(held), random), np.pad(held, around)
        else:
            starts = self._drawn(max(1, len(held) - length + 1), random)
            if len(held) < length:
                held = np.tile(held, (math.ceil(length / len(held)), *[1] * (held.ndim - 1)))
        return held[starts[:, None] + np.arange(length)]

    def _drawn(self, places: int, random: np.random.Generator) -> np.ndarray:
        if places == 1:
            return np.zeros(self.count, dtype=np.int64)
        if self.count == 1:
            return random.integers(places, size=1)
        return random.choice(places, self.count, replace=places < self.count)


ONE = Places()
"""One crop within the utterance."""
