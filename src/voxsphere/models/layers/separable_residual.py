"""The residual block of grouped convolutions, each with a matrix after it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import affine_of
from voxsphere.models.layers.maps import convolved, normed
from voxsphere.models.layers.product import product


class SeparableResidual(nn.Module):
    """Twice a 3×3 convolution in so many `groups` of channels and a linear layer; then the input on top, and ReLU.

    ReLU stands before the first batch norm, and after the sum (IDRnD/redimnet at dd9f519). With `bands` > 0 each of so
    many bands is scaled by a factor of its own before the sum (Thienpondt et al. 2021, Integrating frequency
    translational invariance in TDNNs, arXiv:2104.02370: frequency-wise squeeze-excitation).
    """

    def __init__(self, width: int, *, groups: int, bands: int = 0) -> None:
        super().__init__()
        self.groups = groups
        self.first, self.second = (nn.Conv2d(width, width, 3, bias=False, groups=groups) for _ in range(2))
        self.first_linear, self.second_linear = (nn.Linear(width, width) for _ in range(2))
        self.first_norm, self.second_norm = (nn.BatchNorm2d(width) for _ in range(2))
        self.attention = BandAttention(bands, squeeze=min(64, max(width, 32))) if bands else None

    def forward(self, x: Float[Tensor, "batch frames bands width"]) -> Float[Tensor, "batch frames bands width"]:
        y = convolved(x, self.first.weight, None, groups=self.groups)
        y = self._trained(y) if self.training else self._folded(y)
        y = y + x if self.attention is None else torch.addcmul(x, y, self.attention(y))
        return y.relu_()

    def _trained(self, y: Float[Tensor, "batch frames bands width"]) -> Float[Tensor, "batch frames bands width"]:
        y = normed(self.first_norm, self.first_linear(y).relu_())
        y = convolved(y, self.second.weight, None, groups=self.groups)
        return normed(self.second_norm, self.second_linear(y))

    def _folded(self, y: Float[Tensor, "batch frames bands width"]) -> Float[Tensor, "batch frames bands width"]:
        """The same with the norms' running statistics, in two passes less over the map.

        a · relu(z) + b = s · max(|a| z + s b, s b) with s the sign of a: the first norm's scale goes into the matrix
        before it and its sign into the convolution after it. Its shift may not enter the convolution's bias, as the
        zeros beyond the edges have none.
        """
        scale, shift = affine_of(self.first_norm)
        sign = torch.where(scale < 0, -1.0, 1.0).to(scale.dtype)
        least = shift * sign
        weight, bias = self.first_linear.weight * scale.abs()[:, None], self.first_linear.bias * scale.abs() + least
        y = product(y, weight, bias).clamp_(min=least)
        kernel = self.second.weight.reshape(self.groups, -1, *self.second.weight.shape[1:])
        kernel = (kernel * sign.reshape(self.groups, 1, -1, 1, 1)).flatten(0, 1)
        y = convolved(y, kernel, None, groups=self.groups)
        scale, shift = affine_of(self.second_norm)
        return product(y, self.second_linear.weight * scale[:, None], self.second_linear.bias * scale + shift)


class BandAttention(nn.Module):
    """A factor between 0 and 1 for each band, computed from the means of all."""

    def __init__(self, bands: int, *, squeeze: int) -> None:
        super().__init__()
        self.factors = nn.Sequential(nn.Linear(bands, squeeze), nn.ReLU(), nn.Linear(squeeze, bands), nn.Sigmoid())

    def forward(self, x: Float[Tensor, "batch frames bands width"]) -> Float[Tensor, "batch 1 bands 1"]:
        factors: Tensor = self.factors(x.mean(1).mean(-1))
        return factors[:, None, :, None]
