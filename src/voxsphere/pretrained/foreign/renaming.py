"""Another implementation's names of weights, turned into ours by rules."""

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained.foreign.checkpoint import PRECISIONS

Rules = list[tuple[str, str | Callable[[re.Match[str]], str]]]
"""A pattern in their name and what it becomes, applied one after the other; an empty result drops the weight."""

Shapes = Mapping[str, tuple[int, ...]]
_COUNTER = "num_batches_tracked"


def renamed(name: str, rules: Rules) -> str:
    """Their name of a weight in ours."""
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def shapes_of(recipe: Callable[[], SpeakerModel]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a model's weights, without taking memory for them."""
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in recipe().state_dict().items()}


def converted(state: Mapping[str, Tensor], rules: Rules, shapes: Shapes, *, where: str) -> dict[str, Tensor]:
    """Their weights under our names and in our `shapes` (a kernel of one may be written as a matrix, or the reverse).

    Raises `BadInput` naming the first weight that is not of this network, is of another size or kind, or is missing.
    """
    ours: dict[str, Tensor] = {}
    for theirs, value in state.items():
        name = renamed(theirs, rules)
        if not name:
            continue
        if name not in shapes:
            raise BadInput(f"{where}: {theirs} is not a weight of this network; is it another one's file?")
        if name in ours:
            raise BadInput(f"{where}: {theirs} is there under another name, too; is it another network's file?")
        if not _one_but_for_ones(tuple(value.shape), shapes[name]):
            raise BadInput(f"{where}: {theirs} has the shape {tuple(value.shape)}, the network {shapes[name]}")
        if value.dtype not in PRECISIONS and not name.endswith(_COUNTER):
            kind, *kinds = (str(dtype).removeprefix("torch.") for dtype in (value.dtype, *PRECISIONS))
            raise BadInput(f"{where}: {theirs} is kept as {kind}; weights can be read as {', '.join(kinds)}")
        ours[name] = value.reshape(shapes[name])
    # Old files lack the counter of batches that a batch norm has seen; no output depends on it.
    ours |= {name: torch.tensor(0) for name in shapes if name.endswith(_COUNTER) and name not in ours}
    if missing := sorted(set(shapes) - set(ours)):
        told = f"{len(missing)} of the network's {len(shapes)} weights are not in the file"
        raise BadInput(f"{where}: {told}, the first is {missing[0]}")
    return ours


def _one_but_for_ones(theirs: tuple[int, ...], ours: tuple[int, ...]) -> bool:
    """Whether two shapes differ at most in axes of length one."""
    return [size for size in theirs if size != 1] == [size for size in ours if size != 1]
