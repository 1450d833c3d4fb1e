"""How objectives ask a classification head: its accuracy, and the penalties beside it."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.contract import Penalty
from voxsphere.losses.head import Head


def accuracy(head: Head, embedding: Float[Tensor, "batch dim"], speaker: Int64[Tensor, " batch"]) -> Float[Tensor, ""]:
    """The share of the batch whose own class has the highest of the margin-free logits."""
    with torch.no_grad():
        return (head.logits(embedding).argmax(1) == speaker).float().mean()


def make_penalties(makes: Sequence[Callable[..., Penalty]], in_dim: int, num_classes: int) -> nn.ModuleDict:
    """The penalties by name: each one's class, numbered from the second of a class on."""
    made = nn.ModuleDict()
    for make in makes:
        penalty = cast(nn.Module, make(in_dim=in_dim, num_classes=num_classes))
        name = type(penalty).__name__
        earlier = sum(type(other) is type(penalty) for other in made.values())
        made[f"{name}{earlier + 1}" if earlier else name] = penalty
    return made


def penalties_of(
    penalties: nn.ModuleDict,
    head: Head | None,
    embedding: Float[Tensor, "batch dim"],
    speaker: Int64[Tensor, " batch"],
) -> dict[str, Tensor]:
    """What each of the penalties says of the batch, by name; without a head there are no class weights to read."""
    classes = getattr(head, "weight", None)  # somebody's own head may hold none
    return {name: penalty(embedding, speaker, classes) for name, penalty in penalties.items()}


def check_weights(weights: Mapping[str, float]) -> None:
    """`BadInput` unless the weights of a sum, by name, are finite, 0 or more, and one of them is more."""
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise BadInput(f"{name}: {weight:g} is no weight; give 0 or more")
    if not any(weights.values()):
        raise BadInput(f"{', '.join(weights)} are all 0: nothing would be learnt; give one of them more")
