"""The densely connected TDNN (Yu & Li 2020, Densely connected time delay neural network for speaker verification)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import ConvNormRelu, NormReluConv
from voxsphere.models.layers.entry import bands


class Dtdnn(nn.Module):
    """Frames to half the width of the last dense block, at the same rate (defaults of the paper's D-TDNN: 512).

    A TDNN layer of five frames and `width` channels; then for each of `layers` a block of so many layers, each adding
    `growth` channels by a bottleneck and three frames `dilations[i]` apart, and a layer that halves the width. The
    embedding is a linear layer after statistics pooling and a batch norm without scale and shift: `LinearNorm`.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 128,
        growth: int = 64,
        bottleneck: int = 128,
        layers: Sequence[int] = (6, 12),
        dilations: Sequence[int] = (1, 3),
    ) -> None:
        super().__init__()
        self.in_dim = in_dim
        self.entry = ConvNormRelu(in_dim, width, kernel=5, padding=2)
        self.blocks, self.narrow = nn.ModuleList(), nn.ModuleList()
        for count, dilation in zip(layers, dilations, strict=True):
            grown = width + count * growth
            self.blocks.append(
                nn.ModuleList(
                    nn.Sequential(
                        NormReluConv(width + i * growth, bottleneck),
                        NormReluConv(bottleneck, growth, kernel=3, dilation=dilation),
                    )
                    for i in range(count)
                )
            )
            self.narrow.append(NormReluConv(grown, grown // 2))
            width = grown // 2
        self.dim = width

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim frames"]:
        x: Tensor = self.entry(bands(features, self.in_dim))
        for block, narrow in zip(self.blocks, self.narrow, strict=True):
            assert isinstance(block, nn.ModuleList)
            for layer in block:
                x = torch.cat([x, layer(x)], dim=1)
            x = narrow(x)
        return x
