"""Convolutions with their batch norm."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ConvReluNorm(nn.Module):
    """A 1-D convolution over time, ReLU, batch norm: the TDNN's layer."""

    def __init__(self, in_dim: int, dim: int, *, kernel: int = 1, dilation: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_dim, dim, kernel, dilation=dilation, padding=padding)
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, x: Float[Tensor, "batch in_dim frames"]) -> Float[Tensor, "batch dim out_frames"]:
        normed: Tensor = self.norm(self.conv(x).relu_())
        return normed


class ConvNorm2d(nn.Module):
    """A 2-D convolution followed by batch norm, which is one convolution in evaluation mode."""

    def __init__(
        self, in_dim: int, dim: int, *, kernel: int, stride: tuple[int, int] = (1, 1), bias: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_dim, dim, kernel, stride=stride, padding=kernel // 2, bias=bias)
        self.norm = nn.BatchNorm2d(dim)

    def forward(self, x: Float[Tensor, "batch in_dim rows columns"]) -> Float[Tensor, "batch dim out_rows out_columns"]:
        if self.training:
            normed: Tensor = self.norm(self.conv(x))
            return normed
        scale, shift = affine_of(self.norm)
        weight = self.conv.weight * scale[:, None, None, None]
        bias = shift if self.conv.bias is None else shift + scale * self.conv.bias
        return functional.conv2d(x, weight, bias, self.conv.stride, self.conv.padding)


def as_image(bands: Float[Tensor, "batch bands frames"]) -> Float[Tensor, "batch 1 bands frames"]:
    """The frames as an image of one channel, in the memory order in which 2-D convolutions are fastest.

    Channels last, but for training on a CPU, where the gradients of the weights would take nearly twice as long.
    """
    training = bands.device.type == "cpu" and torch.is_grad_enabled()
    return bands[:, None].contiguous(memory_format=torch.contiguous_format if training else torch.channels_last)


def affine_of(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Float[Tensor, " dim"], Float[Tensor, " dim"]]:
    """The scale and the shift that a batch norm is in evaluation mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale
