"""How much of an utterance an example is: a crop of fixed or drawn length, or the whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voxsphere.core.errors import BadInput


class Examples(Protocol):
    """Gives a batch its length, in seconds, by a generator of its own; all examples of a batch are equally long."""

    @property
    def longest(self) -> float | None:
        """The longest length that it gives, in seconds; None: as long as the utterances."""
        ...

    def seconds(self, durations: Sequence[float | None], random: np.random.Generator) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Crops:
    """A crop at a drawn place, `length` seconds long; of a pair, each batch draws its own length between the two.

    200 to 400 frames of 10 ms, as Kaldi's x-vector recipes cut them, are (2.015, 4.015): the last frame's window is 25
    ms. With a `step` (seconds) the lengths are the shortest and those whole steps above it. Utterances that are shorter
    are repeated until they are long enough.
    """

    length: float | tuple[float, float] = 2.0
    step: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.step < math.inf:
            raise BadInput(f"crops cannot differ by {self.step} s; give a step above 0, or 0 for any length")
        least, most = self._range
        if not 0 < least <= most:
            raise BadInput(f"crops cannot last {self.length} s; give one length above 0, or the shortest and longest")

    @property
    def _range(self) -> tuple[float, float]:
        return self.length if isinstance(self.length, tuple) else (self.length, self.length)

    @property
    def longest(self) -> float | None:
        """The longest crop, in seconds."""
        return self._range[1]

    def seconds(self, durations: Sequence[float | None], random: np.random.Generator) -> float:
        """The length of a batch's crops, to a hundredth of a second where it is drawn without a `step`."""
        least, most = self._range
        if least == most:
            return least
        if not self.step:
            return round(float(random.uniform(least, most)), 2)
        # The longest is one of them, though the difference of two decimal fractions be a little less.
        steps = math.floor((most - least) / self.step + 1e-6)
        return least + self.step * int(random.integers(steps, endpoint=True))


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Whole utterances: a batch is as long as its longest, at most `most` seconds; shorter ones are repeated.

    Nothing is padded. `Bucketed` puts utterances of like length together, so that little is repeated. Needs the
    durations that `voxsphere check` writes into the manifest.
    """

    most: float = 20.0

    def __post_init__(self) -> None:
        if not self.most > 0:
            raise BadInput(f"whole utterances cannot last {self.most} s at most; give a time above 0")

    @property
    def longest(self) -> float | None:
        """The longest example, in seconds."""
        return self.most

    def seconds(self, durations: Sequence[float | None], random: np.random.Generator) -> float:
        """The longest of the durations, in whole tenths of a second, at most `most`."""
        known = [duration for duration in durations if duration is not None]
        if len(known) < len(durations):
            raise BadInput("whole utterances need durations in the manifest; `voxsphere check --out` writes them")
        return min(self.most, math.ceil(10 * max(known)) / 10)
