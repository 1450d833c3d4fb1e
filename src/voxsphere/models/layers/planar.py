"""Convolutions that a CPU computes faster channel by channel than with the channels of a place side by side."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

Image = Float[Tensor, "batch channels rows columns"]


class PlanarConvNorm2d(nn.Module):
    """A 2-D convolution followed by batch norm, for images between `planar` and `interleaved`.

    Strided 5×5 convolutions and those of a few channels are a third to a half faster so, copies included. The batch
    norm is not folded in: for such layers that costs as much as it brings.
    """

    def __init__(self, in_dim: int, dim: int, *, kernel: int, stride: int = 1, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_dim, dim, kernel, stride=stride, padding=kernel // 2, bias=bias)
        self.norm = nn.BatchNorm2d(dim)

    def forward(self, x: Float[Tensor, "batch in_dim rows columns"]) -> Float[Tensor, "batch dim out_rows out_columns"]:
        normed: Tensor = self.norm(self.conv(x))
        return normed


def planar(x: Image) -> Image:
    """The same image, each channel by itself in memory, where that is faster; see `image` for the usual order."""
    return x.contiguous() if _on_cpu(x) else x


def interleaved(x: Image) -> Image:
    """The image that `planar` rearranged in the usual order again."""
    return x.contiguous(memory_format=torch.channels_last) if _on_cpu(x) else x


def _on_cpu(x: Tensor) -> bool:
    return x.device.type == "cpu" and not torch.is_grad_enabled()
