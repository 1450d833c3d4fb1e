"""ARET: a TDNN with aggregated residual blocks (Zhang et al. 2020, Aggregated residual extended TDNNs)."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.attention import ChannelAttention
from voxsphere.models.layers.convolution import ConvNormRelu, ConvReluNorm
from voxsphere.models.layers.entry import bands

Block = Literal["basic", "agg", "cbam", "se", "shuffle"]

# Residual blocks in each stage; a stage of none is left out.
DEPTHS = {14: (1, 1, 1, 0), 17: (1, 1, 1, 1), 18: (2, 2, 2, 2)}


class AretTdnn(nn.Module):
    """Four stages of an unpadded convolution over `context[i]` frames and residual blocks, then two of one frame each.

    `depth` 14, 17 or 18 says how many blocks stand in each stage; 14 has three stages. Blocks, which keep the length:
    `basic`, two convolutions of three frames; `agg`, a bottleneck turned outwards with 32 groups (Xie et al. 2017,
    ResNeXt); `cbam` and `se`, basic with attention to frames and channels, or to channels alone; `shuffle`, which
    convolves half of the channels and shuffles both halves (Ma et al. 2018, ShuffleNet V2).
    The blocks are those of SpeakerVerifiaction-pytorch's RET; the last two norm before the ReLU, the others after it.

    That project's RET builds one block a stage whatever its depth, so that its 18 is its 17; its RET_v2 and RET_v3
    build two, as here. The embedding follows after statistics pooling: `TwoLayer`, or `OneLayer` in RET_v3.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        block: Block = "agg",
        depth: int = 17,
        width: int = 512,
        last: int = 1536,
        context: Sequence[int] = (5, 3, 3, 5),
    ) -> None:
        super().__init__()
        if block not in BLOCKS:
            raise BadInput(f"no block {block!r}; there are: {', '.join(BLOCKS)}")
        if depth not in DEPTHS:
            raise BadInput(f"no ARET-TDNN of depth {depth}; there are: {', '.join(map(str, DEPTHS))}")
        stages = [(kernel, count) for kernel, count in zip(context, DEPTHS[depth], strict=True) if count]
        layers: list[nn.Module] = []
        for i, (kernel, count) in enumerate(stages):
            layers.append(ConvReluNorm(in_dim if i == 0 else width, width, kernel=kernel))
            layers += [BLOCKS[block](width) for _ in range(count)]
        self.layers = nn.Sequential(*layers, ConvReluNorm(width, width), ConvReluNorm(width, last))
        self.in_dim, self.dim = in_dim, last
        self.shortest = 1 + sum(kernel - 1 for kernel, _ in stages)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.layers(bands(features, self.in_dim, shortest=self.shortest))
        return frames


class _Basic(nn.Module):
    """Two convolutions of three frames, and the input on top."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(*(ConvReluNorm(width, width, kernel=3, padding=1) for _ in range(2)))

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        added: Tensor = self.convs(x) + x
        return added


class _Aggregated(nn.Module):
    """One frame, three frames in 32 groups at twice the width, one frame, and the input on top."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            ConvReluNorm(width, width),
            ConvReluNorm(width, 2 * width, kernel=3, padding=1, groups=min(32, width)),
            ConvReluNorm(2 * width, width),
        )

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        added: Tensor = self.convs(x) + x
        return added


class _Cbam(nn.Module):
    """The basic block under the mean of an attention to frames and one to channels.

    Each is a sigmoid of seven neighbouring means: of frames, and, as in the reference system, of channels, whose
    order means nothing. (Woo et al. 2018, CBAM, computes the channels' with a hidden layer, and one after the other.)
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(*(ConvReluNorm(width, width, kernel=3, padding=1) for _ in range(2)))
        self.of_frames = nn.Conv1d(1, 1, 7, padding=3)
        self.of_channels = nn.Conv1d(1, 1, 7, padding=3)

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        y = self.convs(x)
        frames = self.of_frames(y.mean(1, keepdim=True)).sigmoid()
        channels = self.of_channels(y.mean(2)[:, None]).sigmoid().transpose(1, 2)
        added: Tensor = y * ((frames + channels) / 2) + x
        return added


class _SqueezeExcitation(nn.Module):
    """Two convolutions with batch norm and ReLU between, channel attention, the input on top, ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNormRelu(width, width, kernel=3, padding=1, bias=False)
        self.conv = nn.Conv1d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.attention = ChannelAttention(width, squeeze=width // 2)

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        added: Tensor = self.attention(self.norm(self.conv(self.first(x)))) + x
        return added.relu_()


class _Shuffle(nn.Module):
    """Half of the channels pass, half go through 1×1, depthwise and 1×1 convolutions; the halves are interleaved."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.first = ConvNormRelu(half, half, bias=False)
        self.depthwise = nn.Conv1d(half, half, 3, padding=1, groups=half, bias=False)
        self.norm = nn.BatchNorm1d(half)
        self.last = ConvNormRelu(half, half, bias=False)

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        passed, half = x.chunk(2, dim=1)
        convolved = self.last(self.norm(self.depthwise(self.first(half))))
        return torch.stack([passed, convolved], dim=2).flatten(1, 2)


BLOCKS = {
    "basic": _Basic,
    "agg": _Aggregated,
    "cbam": _Cbam,
    "se": _SqueezeExcitation,
    "shuffle": _Shuffle,
}
