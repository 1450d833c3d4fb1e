"""The stages of a two-dimensional residual network."""

from collections.abc import Callable, Sequence
from itertools import chain

from torch import nn

from voxsphere.core.errors import BadInput

HALVING = (1, 2, 2, 2)
"""Four stages of which each but the first halves bands and time."""


def stages(
    blocks: Sequence[Callable[..., nn.Module]],
    *,
    width: int,
    counts: Sequence[int],
    strides: Sequence[int] = HALVING,
    expansion: int = 1,
) -> list[nn.Sequential]:
    """The stages over an image of `width` channels, each twice as wide as the one before.

    Stage i is `counts[i]` times `blocks[i](in_dim, width · 2^i, stride=…)`, the first of them strided by `strides[i]`
    both ways; a block gives `expansion` times its width. Raises `BadInput` for other than one count a stage, or empty
    stages.
    """
    if len(counts) != len(strides) or min(counts) < 1:
        raise BadInput(f"there are {len(strides)} stages, each of at least one block, not {tuple(counts)}")
    result, channels = [], width
    for i, (block, count, stride) in enumerate(zip(blocks, counts, strides, strict=True)):
        layers = []
        for place in range(count):
            step = stride if place == 0 else 1
            layers.append(block(channels, width << i, stride=(step, step)))
            channels = (width << i) * expansion
        result.append(nn.Sequential(*layers))
    return result


def joined(parts: Sequence[nn.Sequential]) -> nn.Sequential:
    """The blocks of all stages, one after the other."""
    return nn.Sequential(*chain.from_iterable(parts))


def rows_left(rows: int, strides: Sequence[int] = HALVING) -> int:
    """How many of `rows` are left after layers of these strides that are padded to keep all at a stride of 1."""
    for stride in strides:
        rows = -(-rows // stride)
    return rows
