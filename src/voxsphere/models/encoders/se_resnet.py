"""voxceleb_trainer's ResNets with squeeze-and-excitation (Chung et al. 2020, arXiv:2003.11982; Heo et al. 2020)."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.layers.attention import ChannelAttention
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.folding import kept
from voxsphere.models.layers.frequency_grid import FrequencyGrid
from voxsphere.models.layers.residual import shortcut
from voxsphere.models.layers.residual_chain import ResidualChain
from voxsphere.models.layers.stages import joined, rows_left, stages


class SeResNet(nn.Module):
    """A convolution and stages of blocks with attention to channels; what is left of the bands is averaged or kept.

    - The defaults are ResNetSE34L, Fast ResNet-34: a 7×7 convolution strided along the bands, the last stage not
      strided, one band left (Chung et al. 2020, In defence of metric learning, arXiv:2003.11982, table 2).
    - `width=32, kernel=3, stride=1, last_stride=2, late_norm=True, bins=None` is ResNetSE34V2, the half ResNet-34 of
      Heo et al. 2020 (Clova baseline system for VoxSRC 2020, arXiv:2009.14153, table 1).

    Stage i is `width` · 2^i channels wide. The batch norm of a block's first convolution follows its ReLU, as in
    voxceleb_trainer and not in the papers; with `late_norm` so does that of the network's first, which has a bias.
    `channels=3` takes features with deltas, [static, Δ, ΔΔ], as an image of three.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        blocks: Sequence[int] = (3, 4, 6, 3),
        width: int = 16,
        kernel: int = 7,
        stride: int = 2,
        last_stride: int = 1,
        late_norm: bool = False,
        reduction: int = 8,
        bins: int | None = 1,
        channels: int = 1,
    ) -> None:
        super().__init__()
        strides = [1, 2, 2, last_stride][: len(blocks)]
        self.in_dim, self.channels = in_dim, channels
        rows = rows_of(in_dim, channels)
        self.first = (
            _ConvReluNorm2d(channels, width, kernel=kernel, stride=(stride, 1), bias=True)
            if late_norm
            else nn.Sequential(ConvNorm2d(channels, width, kernel=kernel, stride=(stride, 1)), nn.ReLU(inplace=True))
        )
        made = [partial(_block, reduction=reduction)] * len(strides)
        self.blocks = joined(stages(made, width=width, counts=blocks, strides=strides))
        rows = rows_left(rows, [stride, *strides])
        self.grid = FrequencyGrid(width << len(blocks) - 1, rows, bins=bins)
        self.dim = self.grid.dim

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.grid(self.blocks(self.first(image(features, self.in_dim, self.channels))))
        return frames


class _ConvReluNorm2d(nn.Module):
    """A 2-D convolution, ReLU, batch norm."""

    def __init__(self, in_dim: int, dim: int, *, kernel: int, stride: tuple[int, int], bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_dim, dim, kernel, stride=stride, padding=kernel // 2, bias=bias)
        self.norm = nn.BatchNorm2d(dim)

    def forward(self, x: Float[Tensor, "batch in_dim rows columns"]) -> Float[Tensor, "batch dim out_rows out_columns"]:
        if self.training:
            normed: Tensor = self.norm(self.conv(x).relu_())
            return normed
        weight, bias = kept(self, [*self.conv.parameters()], self._arranged)
        normed = self.norm(functional.conv2d(x, weight, bias, self.conv.stride, self.conv.padding).relu_())
        return normed

    def _arranged(self) -> tuple[Tensor, Tensor]:
        """The convolution's weights in the images' order in memory, which torch would make anew in each call."""
        bias = self.conv.weight.new_zeros(self.conv.out_channels) if self.conv.bias is None else self.conv.bias
        return self.conv.weight.contiguous(memory_format=torch.channels_last), bias


def _block(in_dim: int, width: int, *, stride: tuple[int, int], reduction: int) -> ResidualChain:
    layers = nn.Sequential(
        _ConvReluNorm2d(in_dim, width, kernel=3, stride=stride),
        ConvNorm2d(width, width, kernel=3),
        ChannelAttention(width, squeeze=max(width // reduction, 1)),
    )
    return ResidualChain(layers, shortcut=shortcut(in_dim, width, stride), activation=nn.ReLU(inplace=True))
