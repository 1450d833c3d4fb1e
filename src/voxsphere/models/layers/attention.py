"""Attention of a layer to its own channels."""

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.folding import plainly_on_cpu


class ChannelAttention(nn.Module):
    """Each channel times a factor computed from the means of all (Hu et al. 2018, Squeeze-and-excitation networks).

    What it is given is overwritten where it is computed without gradients on a CPU.
    """

    def __init__(self, width: int, *, squeeze: int) -> None:
        super().__init__()
        self.factors = nn.Sequential(nn.Linear(width, squeeze), nn.ReLU(), nn.Linear(squeeze, width), nn.Sigmoid())

    def forward(self, x: Float[Tensor, "batch width *places"]) -> Float[Tensor, "batch width *places"]:
        places = tuple(range(2, x.ndim))
        factors: Tensor = self.factors(x.mean(places))
        factors = factors[(..., *(None for _ in places))]
        return x.mul_(factors) if plainly_on_cpu(x) else x * factors
