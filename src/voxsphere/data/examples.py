"""How much of an utterance an example is: a crop of fixed or drawn length, a window of frames, or the whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voxsphere.core.errors import BadInput
from voxsphere.data.places import ONE, Edges, Places
from voxsphere.models.speaker import SpeakerModel


class Examples(Protocol):
    """Gives a batch its length, in seconds, by a generator of its own; all examples of a batch are equally long."""

    @property
    def places(self) -> Places:
        """How many examples an utterance gives, and where they may lie."""
        ...

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

    `count` crops are taken of an utterance that is read once, each an example of its own: a batch of `batch_size`
    examples is of `batch_size` / `count` utterances, an utterance's side by side. They count as so many utterances of
    its speaker, so for losses on tuples `SpeakersByUtterances` with K `utterances` gives K · `count` of each. With
    `edges="zeros"` crops may reach beyond both ends, where there are zeros then: one lies around each frame or sample.
    """

    length: float | tuple[float, float] = 2.0
    step: float = 0.0
    count: int = 1
    edges: Edges = "within"

    def __post_init__(self) -> None:
        if not 0 <= self.step < math.inf:
            raise BadInput(f"crops cannot differ by {self.step} s; give a step above 0, or 0 for any length")
        Places(self.count, self.edges)  # says what is wrong with them
        least, most = self._range
        if not 0 < least <= most:
            raise BadInput(f"crops cannot last {self.length} s; give one length above 0, or the shortest and longest")

    @property
    def _range(self) -> tuple[float, float]:
        return self.length if isinstance(self.length, tuple) else (self.length, self.length)

    @property
    def places(self) -> Places:
        """Where the crops of an utterance lie."""
        return Places(self.count, self.edges)

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
class Windows:
    """What a frame-level encoder sees of one frame: crops as long as its `window`, of stored features.

    `count` windows are taken of an utterance at a time, see `Crops`; with the sampler `ByDuration` at so many frames
    to an item, an epoch has as many windows as the corpus has frames. With `edges="zeros"` there is a window around
    every frame, with frames of zeros beyond both ends; "within" takes those that lie in the utterance.
    """

    count: int = 50
    edges: Edges = "zeros"

    def __post_init__(self) -> None:
        Places(self.count, self.edges)  # says what is wrong with them

    @property
    def places(self) -> Places:
        """Where the windows of an utterance lie."""
        return Places(self.count, self.edges)

    @property
    def longest(self) -> float | None:
        """None: it is the network's to say."""
        return None

    def seconds(self, durations: Sequence[float | None], random: np.random.Generator) -> float:
        """`BadInput`: the network has to say it; see `of`."""
        raise BadInput("windows are as long as a network says, and none was asked")

    def of(self, model: SpeakerModel) -> Crops:
        """Crops of the model's window. `BadInput` for one that has none, or that takes waves."""
        frames = getattr(model.encoder, "window", None)
        if frames is None or model.width is None:
            raise BadInput(
                "examples: windows are for an encoder that classifies single frames (ContextMlp) of stored features; "
                "--set examples=Crops"
            )
        return Crops(length=frames / model.rate, count=self.count, edges=self.edges)


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
    def places(self) -> Places:
        """One: the utterance itself."""
        return ONE

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
