"""Attention of a layer to its own channels."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ChannelAttention(nn.Module):
    """Each channel times a factor computed from the means of all (Hu et al. 2018, Squeeze-and-excitation networks)."""

    def __init__(self, width: int, *, squeeze: int) -> None:
        super().__init__()
        self.factors = nn.Sequential(nn.Linear(width, squeeze), nn.ReLU(), nn.Linear(squeeze, width), nn.Sigmoid())

    def forward(self, x: Float[Tensor, "batch width *places"]) -> Float[Tensor, "batch width *places"]:
        places = tuple(range(2, x.ndim))
        factors: Tensor = self.factors(x.mean(places))
        factors = factors[(..., *(None for _ in places))]
        return x * factors if torch.is_grad_enabled() else x.mul_(factors)
