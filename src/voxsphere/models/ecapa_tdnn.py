"""ECAPA-TDNN: Res2 blocks with channel attention, all of whose outputs are kept (Desplanques et al. 2020)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers import ConvReluNorm


class EcapaTdnn(nn.Module):
    """Frames to `last` channels at the same rate (arXiv:2005.07143, fig. 2).

    Each block receives the sum of all earlier outputs and adds that sum to its own; `summed=False` hands it the
    output before it alone, as WeSpeaker does. `squeeze` is the bottleneck of the channel attention: half the width
    here, 128 in the paper. `scale` is the number of channel groups in a Res2 convolution.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 512,
        last: int = 1536,
        dilations: Sequence[int] = (2, 3, 4),
        scale: int = 8,
        squeeze: int = 256,
        summed: bool = True,
    ) -> None:
        super().__init__()
        if width < 1 or scale < 2 or width % scale:
            raise BadInput(
                f"EcapaTdnn: a width of {width} cannot be shared out to scale={scale} groups; give a multiple of it"
            )
        self.summed = summed
        self.entry = ConvReluNorm(in_dim, width, kernel=5, padding=2)
        self.blocks = nn.ModuleList(
            _Block(width, dilation=dilation, scale=scale, squeeze=squeeze) for dilation in dilations
        )
        self.gather = nn.Conv1d(width * len(dilations), last, 1)
        self.dim = last

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim frames"]:
        x = self.entry(features.transpose(1, 2))
        outputs = []
        for block in self.blocks:
            output = block(x)
            x = x + output if self.summed else output
            outputs.append(output)
        return torch.relu(self.gather(torch.cat(outputs, dim=1)))


class _Block(nn.Module):
    """1×1 convolution, Res2 convolution, 1×1 convolution, channel attention, and the input on top."""

    def __init__(self, width: int, *, dilation: int, scale: int, squeeze: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ConvReluNorm(width, width),
            _Res2(width, dilation=dilation, scale=scale),
            ConvReluNorm(width, width),
            _ChannelAttention(width, squeeze=squeeze),
        )

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        result: Tensor = x + self.layers(x)
        return result


class _Res2(nn.Module):
    """Channel groups convolved one after the other, each with its predecessor's result; the last group passes."""

    def __init__(self, width: int, *, dilation: int, scale: int) -> None:
        super().__init__()
        group = width // scale
        self.groups = nn.ModuleList(
            ConvReluNorm(group, group, kernel=3, dilation=dilation, padding=dilation) for _ in range(scale - 1)
        )

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        *parts, passed = x.chunk(len(self.groups) + 1, dim=1)
        outputs: list[Tensor] = []
        for convolve, part in zip(self.groups, parts, strict=True):
            outputs.append(convolve(part + outputs[-1] if outputs else part))
        return torch.cat([*outputs, passed], dim=1)


class _ChannelAttention(nn.Module):
    """Each channel times a factor computed from the means of all (Hu et al. 2018, Squeeze-and-excitation networks)."""

    def __init__(self, width: int, *, squeeze: int) -> None:
        super().__init__()
        self.factors = nn.Sequential(nn.Linear(width, squeeze), nn.ReLU(), nn.Linear(squeeze, width), nn.Sigmoid())

    def forward(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        scaled: Tensor = x * self.factors(x.mean(-1))[..., None]
        return scaled
