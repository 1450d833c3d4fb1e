"""A convolution whose channels are convolved group by group, each upon the one before."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.planar import PlanarConvNorm2d


class Res2Conv2d(nn.Module):
    """`scale` groups of channels: each but the last is convolved after the result of the one before was added to it.

    The last goes through as it is (Gao et al. 2019, Res2Net, arXiv:1904.01169, eq. 1, leaves the first alone).
    """

    def __init__(self, width: int, *, scale: int, kernel: int = 3) -> None:
        super().__init__()
        group = width // scale
        self.groups = nn.ModuleList(PlanarConvNorm2d(group, group, kernel=kernel) for _ in range(scale - 1))

    def forward(self, x: Float[Tensor, "batch width rows columns"]) -> Float[Tensor, "batch width rows columns"]:
        *parts, untouched = x.chunk(len(self.groups) + 1, dim=1)
        out: list[Tensor] = []
        for conv, part in zip(self.groups, parts, strict=True):
            out.append(conv(part + out[-1] if out else part))
        return torch.cat([*out, untouched], dim=1)
