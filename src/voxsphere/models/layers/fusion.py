"""Two images become one under attention to both."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.layers.convolution import ConvNorm2d


class AttentiveFusion(nn.Module):
    """(1 + a)·x + (1 − a)·y with a = tanh of a small network over both, for each channel and place.

    The network is two 1×1 convolutions with batch norm, SiLU between them, and a quarter of the channels there (Chen et
    al. 2023, ERes2Net, arXiv:2305.12838, equations 2 and 3, after Dai et al. 2021, Attentional Feature Fusion).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.hidden = ConvNorm2d(2 * dim, max(1, dim // 4), kernel=1, bias=True)
        self.factor = ConvNorm2d(max(1, dim // 4), dim, kernel=1, bias=True)

    def forward(
        self, x: Float[Tensor, "batch dim rows columns"], y: Float[Tensor, "batch dim rows columns"]
    ) -> Float[Tensor, "batch dim rows columns"]:
        hidden = functional.silu(self.hidden(torch.cat([x, y], dim=1)))
        return torch.addcmul(x + y, self.factor(hidden).tanh_(), x - y)
