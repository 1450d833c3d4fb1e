"""Maps of frames, bands and channels, in the one memory order that reads as an image and as a sequence alike.

A map is a contiguous [batch, frames, bands, channels]. Seen as an image it lies channels last, where convolutions are
fastest; flattened over its last two axes it is a sequence of frames. Neither view moves a number.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.layers.product import product


def convolved(
    x: Float[Tensor, "batch frames bands in_dim"],
    weight: Float[Tensor, "dim in_group bands_kernel frames_kernel"],
    bias: Float[Tensor, " dim"] | None,
    *,
    groups: int = 1,
) -> Float[Tensor, "batch frames bands dim"]:
    """The map convolved with zeros beyond its edges, so that its frames and bands stay as many; kernels are odd."""
    kernel = weight.transpose(2, 3)
    padding = (kernel.shape[2] // 2, kernel.shape[3] // 2)
    image = functional.conv2d(x.permute(0, 3, 1, 2), kernel, bias, padding=padding, groups=groups)
    return image.permute(0, 2, 3, 1).contiguous()


def strided(
    x: Float[Tensor, "batch frames bands in_dim"],
    weight: Float[Tensor, "dim in_group bands_stride frames_stride"],
    bias: Float[Tensor, " dim"] | None,
    *,
    groups: int = 1,
) -> Float[Tensor, "batch out_frames out_bands dim"]:
    """The map convolved in patches that lie side by side; bands and frames shrink by the kernel's sides."""
    in_bands, in_frames = weight.shape[2:]
    if groups == 1 and in_frames == 1:
        # Patches of bands are rows already: one matrix product.
        patches = x.reshape(*x.shape[:2], x.shape[2] // in_bands, in_bands * x.shape[3])
        return product(patches, weight[..., 0].transpose(1, 2).flatten(1), bias)
    kernel = weight.transpose(2, 3)
    image = functional.conv2d(x.permute(0, 3, 1, 2), kernel, bias, stride=(in_frames, in_bands), groups=groups)
    return image.permute(0, 2, 3, 1).contiguous()


def normed(norm: nn.BatchNorm2d, x: Float[Tensor, "batch frames bands dim"]) -> Float[Tensor, "batch frames bands dim"]:
    """The map after batch norm of its channels."""
    image: Tensor = norm(x.permute(0, 3, 1, 2))
    return image.permute(0, 2, 3, 1)


class WeightedSum(nn.Module):
    """The sum of earlier outputs, each channel with shares of its own that add up to 1 (they begin equal).

    An output of rate r has one frame for r of the sum's, which all get it; the smallest of the `rates` is 1.
    """

    def __init__(self, rates: Sequence[int], width: int) -> None:
        super().__init__()
        self.rates = tuple(rates)
        self.weight = nn.Parameter(torch.zeros(len(self.rates), width))

    def forward(self, outputs: Sequence[Float[Tensor, "batch _ width"]]) -> Float[Tensor, "batch frames width"]:
        shares = self.weight.softmax(0)
        total: Tensor | None = None
        for rate in sorted(set(self.rates), reverse=True):
            for output, share, own in zip(outputs, shares, self.rates, strict=True):
                if own == rate:
                    total = output * share if total is None else total.addcmul_(output, share)
            # Summed at its own rate first, each rate is spread over the next one's frames only once.
            after = max((r for r in self.rates if r < rate), default=rate)
            assert total is not None
            total = total.repeat_interleave(rate // after, dim=1) if after < rate else total
        assert total is not None
        return total
