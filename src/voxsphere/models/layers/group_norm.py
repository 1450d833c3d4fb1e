"""Group norm of sequences whose channels come last."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class WideGroupNorm(nn.Module):
    """Group norm of a sequence: each of so many `groups` of `size` channels has mean 0 and variance 1 over all frames.

    Source: Wu & He 2018, Group normalization, equation 7.
    """

    def __init__(self, groups: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.weight, self.bias = nn.Parameter(torch.ones(groups * size)), nn.Parameter(torch.zeros(groups * size))

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch frames width"]:
        variance, mean = torch.var_mean(x.reshape(*x.shape[:2], -1, self.size), dim=(1, 3), correction=0)
        scale = self.weight * (variance + 1e-5).rsqrt().repeat_interleave(self.size, dim=1)
        shift = self.bias - mean.repeat_interleave(self.size, dim=1) * scale
        return torch.addcmul(shift[:, None], x, scale[:, None])
