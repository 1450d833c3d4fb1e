"""multitask_asv's residual networks over time, each convolution behind its batch norm and ReLU."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.entry import bands, rows_of

_BLOCKS = ("bottleneck", "basic")


class TimeResNet(nn.Module):
    """Frames to 2,048 channels (512 of `basic` blocks) at an eighth of the frame rate.

    The first convolution spans all coefficients and three frames; what follows sees time alone. Four stages of
    `blocks[i]` blocks are 1, 2, 4 and 8 times `width` wide, and all but the first halve the rate. Nothing is normalised
    after the last. Source: multitask_asv at fcd32da (He et al. 2016, arXiv:1603.05027, fig. 1b, for the blocks).

    Deltas lie in the features as [static, Δ, ΔΔ]: `channels=3`. Convolutions begin Kaiming normal by their fan-out.

    The original writes the stages in 2-D over an image one row high, so that two of the three rows of each 3×3 kernel
    see nothing but padding. Here the kernels are one row high, with the same outputs. `square` keeps the idle rows:
    with them the number of parameters, their initial scale and their shapes are the original's. From August 2019 on
    the original has neither batch norm nor ReLU after the first convolution: `first_norm=False`.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        blocks: Sequence[int] = (3, 4, 6, 3),
        block: Literal["bottleneck", "basic"] = "bottleneck",
        first: int = 32,
        width: int = 64,
        channels: int = 1,
        first_norm: bool = True,
        square: bool = False,
    ) -> None:
        super().__init__()
        if block not in _BLOCKS:
            raise BadInput(f"no block {block!r}; there are: {', '.join(_BLOCKS)}")
        self.in_dim, self.channels = in_dim, channels
        self.first = nn.Conv2d(channels, first, (rows_of(in_dim, channels), 3), padding=(0, 1), bias=False)
        self.first_norm = nn.BatchNorm2d(first) if first_norm else None
        stages: list[nn.Module] = []
        dim = first
        for stage, count in enumerate(blocks):
            for i in range(count):
                stride = 2 if stage and not i else 1
                part = _Block(dim, width << stage, stride=stride, bottleneck=block == "bottleneck", square=square)
                stages.append(part)
                dim = part.dim
        self.blocks = nn.Sequential(*stages)
        self.dim = dim
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        rows = bands(features, self.in_dim)
        x = self.first(rows.reshape(len(rows), self.channels, -1, rows.shape[-1]))
        # Each utterance is a row of one image, so that one product of matrices serves them all.
        x = x.permute(2, 1, 0, 3).contiguous()
        if self.first_norm is not None:
            x = self.first_norm(x).relu_()
        frames: Tensor = self.blocks(x)[0].transpose(0, 1)
        return frames


class _Block(nn.Module):
    """Batch norm, ReLU and a convolution, two or three times, and the input on top."""

    def __init__(self, in_dim: int, width: int, *, stride: int, bottleneck: bool, square: bool) -> None:
        super().__init__()
        self.dim = 4 * width if bottleneck else width
        self.convs: nn.ModuleList
        if bottleneck:
            self.convs = nn.ModuleList(
                [_pointwise(in_dim, width), _triple(width, width, stride, square), _pointwise(width, self.dim)]
            )
            widths = [in_dim, width, width]
        else:
            self.convs = nn.ModuleList([_triple(in_dim, width, stride, square), _triple(width, width, 1, square)])
            widths = [in_dim, width]
        self.norms = nn.ModuleList(nn.BatchNorm2d(dim) for dim in widths)
        # Where the shape changes the shortcut starts after the first norm and ReLU.
        self.shortcut = None if in_dim == self.dim and stride == 1 else _pointwise(in_dim, self.dim, stride)

    def forward(self, x: Float[Tensor, "1 in_dim batch frames"]) -> Float[Tensor, "1 dim batch out_frames"]:
        normed = self.norms[0](x).relu_()
        kept = x if self.shortcut is None else self.shortcut(normed)
        result: Tensor = self.convs[0](normed)
        for norm, conv in zip(self.norms[1:], self.convs[1:], strict=True):
            result = conv(norm(result).relu_())
        return result + kept


class _SquareConv(nn.Module):
    """A 3×3 convolution that was made for an image one row high: the middle row of its kernel sees the frames."""

    def __init__(self, in_dim: int, dim: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(nn.init.kaiming_normal_(torch.empty(dim, in_dim, 3, 3), mode="fan_out"))

    def forward(self, x: Float[Tensor, "1 in_dim batch frames"]) -> Float[Tensor, "1 dim batch out_frames"]:
        return functional.conv2d(x, self.weight[:, :, 1:2], stride=(1, self.stride), padding=(0, 1))


def _triple(in_dim: int, dim: int, stride: int, square: bool) -> nn.Module:
    if square:
        return _SquareConv(in_dim, dim, stride)
    return nn.Conv2d(in_dim, dim, (1, 3), stride=(1, stride), padding=(0, 1), bias=False)


def _pointwise(in_dim: int, dim: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_dim, dim, 1, stride=(1, stride), bias=False)
