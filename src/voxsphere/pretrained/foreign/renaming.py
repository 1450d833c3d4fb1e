"""Another implementation's names of weights, turned into ours by rules."""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

from voxsphere.core.errors import BadInput

Rules = list[tuple[str, str | Callable[[re.Match[str]], str]]]
"""A pattern in their name and what it becomes, applied one after the other; an empty result drops the weight."""


def renamed(name: str, rules: Rules) -> str:
    """Their name of a weight in ours."""
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def converted(
    state: Mapping[str, Tensor], rules: Rules, shapes: Mapping[str, tuple[int, ...]], *, where: str
) -> dict[str, Tensor]:
    """Their weights under our names and in our `shapes` (a kernel of one may be written as a matrix, or the reverse).

    Raises `BadInput` naming the first weight that is not of this network, or is of another size.
    """
    ours = {}
    for theirs, value in state.items():
        name = renamed(theirs, rules)
        if not name:
            continue
        if name not in shapes:
            raise BadInput(f"{where}: {theirs} is not a weight of this network; is it another one's file?")
        if value.numel() != _numel(shapes[name]):
            raise BadInput(f"{where}: {theirs} has the shape {tuple(value.shape)}, the network {shapes[name]}")
        ours[name] = value.reshape(shapes[name])
    if missing := sorted(set(shapes) - set(ours)):
        raise BadInput(f"{where}: {len(missing)} weights of the network are not in the file, the first is {missing[0]}")
    return ours


def _numel(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product
