"""What every augmentation keeps to: a distribution to draw from, and the deed that was drawn."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32


class Deed(Protocol):
    """What was drawn: a frozen dataclass of plain values whose repr says everything. Doing it is deterministic.

    `wave` is mono float32 at `sample_rate` Hz, nominally ±1. Deeds neither clip nor rescale a wave that goes beyond
    (unless that is what the deed is), never change the array they are given, and map silence to silence or to what
    they add, never to NaN.
    """

    def __call__(
        self, wave: Float32[np.ndarray, " samples"], sample_rate: int
    ) -> Float32[np.ndarray, " samples_out"]: ...


@runtime_checkable
class Resizing(Protocol):
    """A deed whose result is not as long as what it is given."""

    def samples_needed(self, samples: int) -> int:
        """How many samples it must be given so that its result has at least `samples`."""
        ...


@runtime_checkable
class Placing(Protocol):
    """A deed that says where the example is cut from its recording, which a reader otherwise draws by itself.

    `cut_at` is that place, 0–1 of the recording, which goes on from its beginning where it ends; None: anywhere.
    """

    @property
    def cut_at(self) -> float | None: ...


class Augmentation(Protocol):
    """A distribution of deeds, made of options only: cheap to construct, picklable, and shown by `core.parts`.

    `samples` is how long the example is to be in the end, `sample_rate` its rate in Hz.
    """

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> Deed: ...


@runtime_checkable
class Needing(Protocol):
    """An augmentation that needs recordings, or is made of some that may."""

    def check(self) -> None:
        """`BadInput` where recordings are not to be had that a draw may choose."""
        ...
