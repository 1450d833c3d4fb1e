"""The pooled vector to the embedding: small heads that differ in where the batch norm stands."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Affine(nn.Module):
    """One linear layer, as in the r-vector (Zeinali et al. 2019, BUT system description to VoxSRC 2019)."""

    def __init__(self, in_dim: int, *, dim: int = 256) -> None:
        super().__init__()
        self.dim = dim
        self.linear = nn.Linear(in_dim, dim)

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.linear(pooled)
        return embedding


class LinearNorm(nn.Module):
    """A linear layer, then batch norm without scale and shift (Wang et al. 2023, CAM++).

    With `bias`, which the batch norm takes back, as in the D-TDNN's implementation.
    """

    def __init__(self, in_dim: int, *, dim: int = 192, bias: bool = False) -> None:
        super().__init__()
        self.dim = dim
        self.linear = nn.Linear(in_dim, dim, bias=bias)
        self.norm = nn.BatchNorm1d(dim, affine=False)

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.norm(self.linear(pooled))
        return embedding


class OneLayer(nn.Module):
    """Linear, ReLU, batch norm; `slope` is the ReLU's below zero."""

    def __init__(self, in_dim: int, *, dim: int = 256, slope: float = 0.0) -> None:
        super().__init__()
        self.dim = dim
        self.layers = nn.Sequential(nn.Linear(in_dim, dim), nn.LeakyReLU(slope), nn.BatchNorm1d(dim))

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.layers(pooled)
        return embedding


class NormLinear(nn.Module):
    """Batch norm, then a linear layer (Yakovlev et al. 2024, ReDimNet, arXiv:2407.18223, in IDRnD's code)."""

    def __init__(self, in_dim: int, *, dim: int = 192) -> None:
        super().__init__()
        self.dim = dim
        self.norm = nn.BatchNorm1d(in_dim)
        self.linear = nn.Linear(in_dim, dim)

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.linear(self.norm(pooled))
        return embedding


class NormLinearNorm(nn.Module):
    """Batch norm, a linear layer, batch norm (Desplanques et al. 2020, ECAPA-TDNN, fig. 2)."""

    def __init__(self, in_dim: int, *, dim: int = 192) -> None:
        super().__init__()
        self.dim = dim
        self.norm_in = nn.BatchNorm1d(in_dim)
        self.linear = nn.Linear(in_dim, dim)
        self.norm_out = nn.BatchNorm1d(dim)

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.norm_out(self.linear(self.norm_in(pooled)))
        return embedding


class TwoLayer(nn.Module):
    """Linear, ReLU, batch norm, twice; the second is the embedding (Snyder et al. 2018, X-vectors, table 1).

    `slope` is the ReLUs' below zero.
    """

    def __init__(self, in_dim: int, *, hidden: int = 512, dim: int = 512, slope: float = 0.0) -> None:
        super().__init__()
        self.dim = dim
        self.layers = nn.Sequential(
            nn.Linear(in_dim, hidden), nn.LeakyReLU(slope), nn.BatchNorm1d(hidden),
            nn.Linear(hidden, dim), nn.LeakyReLU(slope), nn.BatchNorm1d(dim),
        )  # fmt: skip

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.layers(pooled)
        return embedding


class HiddenAffine(nn.Module):
    """Linear, ReLU, a batch norm without scale and shift, and the embedding's linear layer (WeSpeaker's x-vector)."""

    def __init__(self, in_dim: int, *, hidden: int = 512, dim: int = 512) -> None:
        super().__init__()
        self.dim = dim
        self.layers = nn.Sequential(
            nn.Linear(in_dim, hidden), nn.ReLU(), nn.BatchNorm1d(hidden, affine=False), nn.Linear(hidden, dim)
        )

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.layers(pooled)
        return embedding


class TwoAffine(nn.Module):
    """A linear layer, ReLU, batch norm without scale and shift, and a linear layer that gives the embedding.

    The second layer of 3D-Speaker's ResNet34, and an option (`two_emb_layer`) of all ResNets in WeSpeaker.
    """

    def __init__(self, in_dim: int, *, dim: int = 192) -> None:
        super().__init__()
        self.dim = dim
        self.hidden = nn.Linear(in_dim, dim)
        self.norm = nn.BatchNorm1d(dim, affine=False)
        self.linear = nn.Linear(dim, dim)

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.linear(self.norm(self.hidden(pooled).relu_()))
        return embedding


class LengthNorm(nn.Module):
    """The pooled vector at unit length, and nothing learnt (Wan et al. 2018, GE2E)."""

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.dim = in_dim

    def forward(self, pooled: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return functional.normalize(pooled, dim=-1)
