"""The pooled vector to the embedding: small heads that differ in where the batch norm stands."""

from typing import Any

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


class AffineNorm(nn.Module):
    """One linear layer, then batch norm: the end of SpeakerVerifiaction-pytorch's residual networks."""

    def __init__(self, in_dim: int, *, dim: int = 512) -> None:
        super().__init__()
        self.dim = dim
        self.linear = nn.Linear(in_dim, dim)
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.norm(self.linear(pooled))
        return embedding


class AffineLength(nn.Module):
    """One linear layer, with `norm` batch norm, and the result brought to the length `alpha`.

    Ranjan et al. 2017, L2-constrained softmax loss, arXiv:1703.09507, eq. 4, as Deep Speaker's re-implementations use.
    """

    def __init__(self, in_dim: int, *, dim: int = 512, norm: bool = False, alpha: float = 10.0) -> None:
        super().__init__()
        self.dim, self.alpha = dim, alpha
        self.linear = nn.Linear(in_dim, dim)
        self.norm = nn.BatchNorm1d(dim) if norm else nn.Identity()

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        return self.alpha * functional.normalize(self.norm(self.linear(pooled)), dim=-1)


class DoubleRateAffine(nn.Module):
    """One linear layer that learns at twice the rate: the embedding layer of unified-embedding's ResNet-20.

    Hajibabaei & Dai 2018, Unified hypersphere embedding, arXiv:1807.08312, as in their Caffe files. `dropout` is the
    share of the pooled values left out in training (0.5 helps verification, 0 identification). `weight_decay` is
    twice the network's in their first stage of training and 0 in the second; the bias does not decay.
    """

    def __init__(self, in_dim: int, *, dim: int = 512, dropout: float = 0.0, weight_decay: float = 1e-3) -> None:
        super().__init__()
        self.dim, self.weight_decay = dim, weight_decay
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(in_dim, dim)
        nn.init.kaiming_uniform_(self.linear.weight, nonlinearity="linear")
        nn.init.zeros_(self.linear.bias)

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.linear(self.dropout(pooled))
        return embedding

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Weight and bias, at twice the rate."""
        return [
            {"params": [self.linear.weight], "rate": 2.0, "weight_decay": self.weight_decay},
            {"params": [self.linear.bias], "rate": 2.0, "weight_decay": 0.0},
        ]


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
    """Linear, ReLU, batch norm, the only layer of SpeakerVerifiaction-pytorch's LSTM, ETDNN and RET_v3.

    `slope` is the ReLU's below zero.
    """

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


class TwoAffine(nn.Module):
    """A linear layer, ReLU, batch norm without scale and shift, and a linear layer that gives the embedding.

    WeSpeaker's x-vector and 3D-Speaker's ResNet34 end so; an option (`two_emb_layer`) of all ResNets in WeSpeaker.
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


class LinearNormLinear(nn.Module):
    """A linear layer, batch norm, ReLU and a second linear layer, the tail of multitask_asv's networks.

    Both layers' weights begin Kaiming uniform, as there.
    """

    def __init__(self, in_dim: int, *, hidden: int = 512, dim: int = 200) -> None:
        super().__init__()
        self.dim = dim
        self.layers = nn.Sequential(
            nn.Linear(in_dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, dim)
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_uniform_(layer.weight)

    def forward(self, pooled: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch dim"]:
        embedding: Tensor = self.layers(pooled)
        return embedding


class LengthNorm(nn.Module):
    """The pooled vector at unit length, and nothing learnt (Wan et al. 2018, GE2E)."""

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.dim = in_dim

    def forward(self, pooled: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return functional.normalize(pooled, dim=-1)


class AsPooled(nn.Module):
    """The pooled vector as it is: for models of single frames, whose encoder is the whole network."""

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.dim = in_dim

    def forward(self, pooled: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return pooled
