"""The block of ConvNeXt with batch norm: grouped convolutions, a nonlinearity, one matrix, the input on top."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.layers.convolution import affine_of
from voxsphere.models.layers.maps import convolved, normed
from voxsphere.models.layers.product import product


class ConvNeXtLike(nn.Module):
    """Grouped convolutions, batch norm, GELU (or ReLU), a linear layer, and the input on top.

    `kernels` are (bands, frames), odd; the outputs of several lie side by side. `groups` of 0 convolves each channel
    alone. Source: IDRnD/redimnet at dd9f519, after Liu et al. 2022 (A ConvNet for the 2020s), whose
    widening in the middle is left out.
    """

    def __init__(
        self, width: int, *, kernels: Sequence[tuple[int, int]] = ((3, 3),), groups: int = 0, relu: bool = False
    ) -> None:
        super().__init__()
        self.groups, self.relu = groups or width, relu
        self.convs = nn.ModuleList(nn.Conv2d(width, width, kernel, groups=self.groups) for kernel in kernels)
        self.norm = nn.BatchNorm2d(width * len(kernels))
        self.linear = nn.Linear(width * len(kernels), width)

    def forward(self, x: Float[Tensor, "batch frames bands width"]) -> Float[Tensor, "batch frames bands width"]:
        parts = [convolved(x, weight, bias, groups=self.groups) for weight, bias in self._kernels()]
        y = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        if self.training:
            y = normed(self.norm, y)
        y = y.relu() if self.relu else functional.gelu(y)
        return product(y, self.linear.weight, self.linear.bias).add_(x)

    def _kernels(self) -> list[tuple[Tensor, Tensor]]:
        """Weights and biases; in evaluation mode with the batch norm in them."""
        plain: list[tuple[Tensor, Tensor]] = [
            (conv.get_parameter("weight"), conv.get_parameter("bias")) for conv in self.convs
        ]
        if self.training:
            return plain
        scale, shift = (parts.chunk(len(plain)) for parts in affine_of(self.norm))
        return [
            (weight * a[:, None, None, None], bias * a + b)
            for (weight, bias), a, b in zip(plain, scale, shift, strict=True)
        ]
