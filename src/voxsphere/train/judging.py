"""What judges a run on recordings that it does not learn from, and the figures that decide."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Protocol

from accelerate import Accelerator
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.data.training_set import TrainingSet
from voxsphere.train.distances import Distances

OF_TRAINING = ("loss", "error")
"""The means of the training batches since the last judgement, which stand beside what is measured."""


class Validation(Protocol):
    """Judges `every` so many epochs; `figure` is what schedules, stopping and `keep="best"` go by, lower is better.

    `closed` says that it judges by the speakers who are learnt, and so for which training sets it is.
    """

    @property
    def figure(self) -> str: ...

    @property
    def every(self) -> int: ...

    @property
    def closed(self) -> bool: ...

    def value(self, figures: dict[str, float]) -> float:
        """The figure that decides, from all those measured."""
        ...

    def measure(
        self,
        objective: Any,
        data: TrainingSet,
        accelerator: Accelerator,
        step: int,
        *,
        failed: Callable[[str, str], None] = ...,
    ) -> tuple[dict[str, float], Distances | None]:
        """The figures after `step` updates, and the trials' distances where there are trials."""
        ...


def product(figure: str, figures: dict[str, float]) -> float:
    """The figure of this name, or the product of several ("eer*min_dcf")."""
    return prod(figures[name] for name in figure.split("*"))


def check_figure(figure: str, every: int, seconds: float, known: Sequence[str]) -> None:
    """`BadInput` for a figure that is none of those measured, and for senseless numbers."""
    if strange := [name for name in figure.split("*") if name not in known]:
        raise BadInput(f"validation.figure: no figure {strange[0]!r}; there are {', '.join(known)}, and products")
    if every < 1 or not seconds > 0:
        raise BadInput("validation: every is 1 epoch or more, and seconds are more than 0")


def check_judges(validation: Validation, data: TrainingSet, objective: nn.Module) -> None:
    """`BadInput` where the validation is not for such data, or the objective cannot be asked."""
    name = type(validation).__name__
    if data.closed and not validation.closed:
        raise BadInput(
            f"validation: {name} judges by speakers who are not learnt, and these data hold none out; take --set "
            "validation=Identification"
        )
    if not data.closed and validation.closed:
        raise BadInput(
            f"validation: {name} judges by the speakers who are learnt, and these data hold others out; take "
            "data=closed_set, or validation=Verification"
        )
    if data.closed and getattr(objective, "head", None) is None:
        raise BadInput(
            f"validation: {type(objective).__name__} has no head that could name a speaker; learn from a training_set, "
            "whose held-out speakers judge the embeddings"
        )
