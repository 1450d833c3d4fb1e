"""A run that has left the numbers: known before anything of it is logged, or saved over what still was good."""

from collections.abc import Iterable

from torch import Tensor

from voxsphere.core.errors import BadInput


def check_finite(values: Iterable[Tensor], what: str, step: int) -> None:
    """`BadInput` if anything in the tensors is infinite or no number; `what` names it in the singular."""
    if not all(bool(value.isfinite().all()) for value in values):
        raise BadInput(
            f"{what} is no number any more at step {step}; lower the learning rate, bound the gradient "
            "(--set clip=5), or look at the data with `voxsphere check`"
        )
