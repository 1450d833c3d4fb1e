"""The four stages of a two-dimensional residual network."""

from collections.abc import Callable, Sequence

from torch import nn

from voxsphere.core.errors import BadInput

Block = Callable[..., nn.Module]


def stages(blocks: Sequence[Block], *, width: int, counts: Sequence[int], expansion: int) -> list[nn.Sequential]:
    """The stages over an image of `width` channels; each but the first halves bands and time and doubles the width.

    `blocks` are the constructors `(in_dim, width, *, stride)` of the stages' blocks, which give `expansion` times
    their width. Raises `BadInput` for other than four `counts`, or empty stages.
    """
    if len(counts) != 4 or min(counts) < 1:
        raise BadInput(f"there are four stages, each of at least one block, not {tuple(counts)}")
    result, channels = [], width
    for stage, (block, count) in enumerate(zip(blocks, counts, strict=True)):
        layers = []
        for i in range(count):
            layers.append(block(channels, width << stage, stride=(2, 2) if stage > 0 and i == 0 else (1, 1)))
            channels = (width << stage) * expansion
        result.append(nn.Sequential(*layers))
    return result


def folded_dim(in_dim: int, *, width: int, expansion: int) -> int:
    """The channels times the bands that four stages leave of `in_dim` bands."""
    return (width << 3) * expansion * -(-in_dim // 8)
