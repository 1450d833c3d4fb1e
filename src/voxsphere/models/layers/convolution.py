"""Convolutions with their batch norm."""

from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.layers import winograd
from voxsphere.models.layers.folding import kept
from voxsphere.models.layers.product import product


class ConvReluNorm(nn.Module):
    """A 1-D convolution over time, ReLU, batch norm: the TDNN's layer.

    `slope` is the ReLU's below zero. `reflect` pads with frames mirrored at the edges instead of zeros. Without
    `affine` the batch norm has no scale and shift of its own.
    """

    def __init__(
        self,
        in_dim: int,
        dim: int,
        *,
        kernel: int = 1,
        dilation: int = 1,
        padding: int = 0,
        groups: int = 1,
        reflect: bool = False,
        slope: float = 0.0,
        affine: bool = True,
    ) -> None:
        super().__init__()
        mode: Literal["reflect", "zeros"] = "reflect" if reflect else "zeros"
        self.slope = slope
        self.conv = nn.Conv1d(in_dim, dim, kernel, dilation=dilation, padding=padding, groups=groups, padding_mode=mode)
        self.norm = nn.BatchNorm1d(dim, affine=affine)

    def forward(self, x: Float[Tensor, "batch in_dim frames"]) -> Float[Tensor, "batch dim out_frames"]:
        normed: Tensor = self.norm(rectified(self.conv(x), self.slope))
        return normed

    def rows(
        self,
        x: Float[Tensor, "batch frames in_dim"],
        *,
        added: Float[Tensor, "batch frames in_dim"] | None = None,
        out: Float[Tensor, "batch out_frames dim"] | None = None,
    ) -> Float[Tensor, "batch out_frames dim"]:
        """The same of `x`, or of its sum with `added`, in evaluation and frame after frame, written to `out` if given.

        All frames of all utterances are one matrix product a tap, which on a CPU is faster than as many small ones.
        Only for layers that are not in groups.
        """
        (width,), (padding,), (dilation,) = self.conv.kernel_size, map(int, self.conv.padding), self.conv.dilation
        if padding:
            x = _beyond_edges(x, padding, added, mirrored=self.conv.padding_mode == "reflect")
        elif added is not None:
            x = x + added
        if width == 1:
            y = product(x, self.conv.weight[..., 0], self.conv.bias)
            return rows_normed(self.norm, rectified(y, self.slope), out=out)
        weight, bias = kept(self, [*self.conv.parameters()], self._taps)
        batch, length, _ = x.shape
        rows, reach = x.flatten(0, 1), (width - 1) * dilation
        y = x.new_empty(batch, length, self.conv.out_channels)
        # The last rows of an utterance, which see into the next one, are computed, too, and left out afterwards.
        products = y.flatten(0, 1)[: len(rows) - reach]
        torch.addmm(bias, rows[: len(products)], weight[0], out=products)
        for tap in range(1, width):
            products.addmm_(rows[tap * dilation :][: len(products)], weight[tap])
        return rows_normed(self.norm, rectified(y[:, : length - reach], self.slope), out=out)

    def _taps(self) -> tuple[Float[Tensor, "kernel in_dim dim"], Float[Tensor, " dim"]]:
        assert self.conv.bias is not None
        return self.conv.weight.permute(2, 1, 0).contiguous(), self.conv.bias


class ConvNormRelu(nn.Module):
    """A 1-D convolution over time, batch norm, ReLU; `slope` is the ReLU's below zero."""

    def __init__(
        self,
        in_dim: int,
        dim: int,
        *,
        kernel: int = 1,
        dilation: int = 1,
        padding: int = 0,
        reflect: bool = False,
        slope: float = 0.0,
        affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        mode: Literal["reflect", "zeros"] = "reflect" if reflect else "zeros"
        self.slope = slope
        self.conv = nn.Conv1d(in_dim, dim, kernel, dilation=dilation, padding=padding, bias=bias, padding_mode=mode)
        self.norm = nn.BatchNorm1d(dim, affine=affine)

    def forward(self, x: Float[Tensor, "batch in_dim frames"]) -> Float[Tensor, "batch dim out_frames"]:
        return rectified(self.norm(self.conv(x)), self.slope)


class NormReluConv(nn.Module):
    """Batch norm, ReLU, then a 1-D convolution without bias that keeps the length."""

    def __init__(self, in_dim: int, dim: int, *, kernel: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(in_dim)
        self.conv = nn.Conv1d(in_dim, dim, kernel, padding=kernel // 2 * dilation, dilation=dilation, bias=False)

    def forward(self, x: Float[Tensor, "batch in_dim frames"]) -> Float[Tensor, "batch dim frames"]:
        convolved: Tensor = self.conv(self.norm(x).relu_())
        return convolved

    def rows(
        self, x: Float[Tensor, "batch frames in_dim"], *, then: nn.BatchNorm1d | None = None
    ) -> Float[Tensor, "batch frames dim"]:
        """The same in evaluation, frame after frame, and the batch norm `then` of the result; for a kernel of one.

        One matrix product for all frames of all utterances, with `then` folded in. Where `x` is the first channels of
        a wider tensor, torch's own batch norm takes several times as long as `addcmul`.
        """
        norms = [self.norm] if then is None else [self.norm, then]
        own = [self.conv.weight, *(tensor for norm in norms for tensor in (*norm.parameters(), *norm.buffers()))]
        scale, shift, weight, bias = kept(self, own, lambda: self._fold(then))
        return product(torch.addcmul(shift, x, scale).relu_(), weight, bias)

    def _fold(self, then: nn.BatchNorm1d | None) -> tuple[Tensor, ...]:
        weight = self.conv.weight[..., 0]
        if then is None:
            return *affine_of(self.norm), weight, weight.new_zeros(len(weight))
        factor, bias = affine_of(then)
        return *affine_of(self.norm), weight * factor[:, None], bias


def rows_normed(
    norm: nn.BatchNorm1d,
    x: Float[Tensor, "batch frames dim"],
    *,
    out: Float[Tensor, "batch frames dim"] | None = None,
) -> Float[Tensor, "batch frames dim"]:
    """The batch norm in evaluation, of channels that lie side by side; written to `out` if given."""
    scale, shift = affine_of(norm)
    return torch.addcmul(shift, x, scale, out=out)


def _beyond_edges(x: Tensor, count: int, added: Tensor | None, *, mirrored: bool) -> Tensor:
    """`count` frames more at both ends: zeros, or the frames next to the first and to the last, mirrored."""
    batch, frames, dim = x.shape
    padded = x.new_empty(batch, frames + 2 * count, dim)
    inside, before, after = padded[:, count:-count], padded[:, :count], padded[:, -count:]
    if added is None:
        inside.copy_(x)
    else:
        torch.add(x, added, out=inside)
    if mirrored:
        before.copy_(inside[:, 1 : count + 1].flip(1))
        after.copy_(inside[:, -count - 1 : -1].flip(1))
    else:
        before.zero_()
        after.zero_()
    return padded


def rectified(x: Tensor, slope: float) -> Tensor:
    """ReLU in place, with a slope below zero."""
    return functional.leaky_relu_(x, slope) if slope else x.relu_()


class ConvNorm2d(nn.Module):
    """A 2-D convolution followed by batch norm, which is one convolution in evaluation mode.

    `added` is added to the result, and `relu` then lets nothing through that is below zero. In evaluation the folded
    weights are kept beside the module's own: in a deep network and for a single utterance, folding them takes as long
    as a sixth of the convolutions.
    """

    def __init__(
        self, in_dim: int, dim: int, *, kernel: int, stride: tuple[int, int] = (1, 1), bias: bool = False
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, (kernel // 2, kernel // 2)
        self.conv = nn.Conv2d(in_dim, dim, kernel, stride=stride, padding=self.padding, bias=bias)
        self.norm = nn.BatchNorm2d(dim)
        self.tiles = (kernel, stride) == (3, (1, 1)) and min(in_dim, dim) >= winograd.WIDE

    def forward(
        self,
        x: Float[Tensor, "batch in_dim rows columns"],
        *,
        added: Float[Tensor, "batch dim out_rows out_columns"] | None = None,
        relu: bool = False,
    ) -> Float[Tensor, "batch dim out_rows out_columns"]:
        normed: Tensor
        if not self.training:
            own = [*self.parameters(), *self.norm.buffers()]
            if self.tiles and winograd.faster(x):
                weight, bias = kept(self, own, partial(self._tiled, x), form="tiles")
                normed = winograd.convolved(x, weight, bias)
            else:
                weight, bias = kept(self, own, partial(self._fold, x), form=f"{_order(x)}")
                normed = functional.conv2d(x, weight, bias, self.stride, self.padding)
        else:
            normed = self.norm(self.conv(x))
        normed = normed if added is None else normed.add_(added)
        return normed.relu_() if relu else normed

    def _fold(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scale, shift = affine_of(self.norm)
        weight = self.conv.weight * scale[:, None, None, None]
        bias = shift if self.conv.bias is None else shift + scale * self.conv.bias
        # In the images' order in memory no call has to rearrange the weights, or the result.
        return weight.contiguous(memory_format=_order(x)), bias

    def _tiled(self, x: Tensor) -> tuple[Tensor, Tensor]:
        weight, bias = self._fold(x)
        return winograd.transformed(weight), bias


def _order(x: Tensor) -> torch.memory_format:
    last = x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format


def affine_of(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Float[Tensor, " dim"], Float[Tensor, " dim"]]:
    """The scale and the shift that a batch norm is in evaluation mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale
