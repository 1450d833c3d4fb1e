"""Residual blocks in stages."""

from collections.abc import Callable, Sequence

from torch import nn


def stages(
    in_dim: int,
    block: Callable[..., nn.Module],
    *,
    blocks: Sequence[int],
    width: int,
    strides: Sequence[int],
    expansion: int,
) -> nn.Sequential:
    """`blocks[i]` times `block(channels, width · 2^i, stride=…)`, the first of them strided by `strides[i]` both ways.

    A block's output is `expansion` times as wide as its stage.
    """
    made: list[nn.Module] = []
    channels = in_dim
    for i, (count, stride) in enumerate(zip(blocks, strides, strict=True)):
        for place in range(count):
            step = stride if place == 0 else 1
            made.append(block(channels, width << i, stride=(step, step)))
            channels = expansion * (width << i)
    return nn.Sequential(*made)


def rows_left(rows: int, strides: Sequence[int]) -> int:
    """How many of `rows` are left after layers of these strides that are padded to keep all at a stride of 1."""
    for stride in strides:
        rows = -(-rows // stride)
    return rows
