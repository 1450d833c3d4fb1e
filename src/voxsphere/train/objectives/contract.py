"""What the loop asks of an objective."""

from typing import Protocol

from torch import Tensor

from voxsphere.data.batch import Batch
from voxsphere.models.speaker import SpeakerModel


class Objective(Protocol):
    """`(model, num_speakers, *, options)`; a module that holds the model, its heads, and nothing of the loop.

    The loop calls it on a batch and steps down "loss"; every other entry, "accuracy" too, is only logged. `set_margin`
    is given what the recipe's margin schedule says. What else it may offer is found by name: an argument `num_domains`
    (how many domains the data tell apart); `set_progress(progress)`, called before each step, on it or on any module
    within; `loss_of_equal()`, what its metric loss would be were all embeddings equal, for the guard against collapse,
    and `sees_lengths`, whether that loss sees how long embeddings are.
    """

    model: SpeakerModel

    def __call__(self, batch: Batch) -> dict[str, Tensor]: ...

    def set_margin(self, value: float) -> None: ...
