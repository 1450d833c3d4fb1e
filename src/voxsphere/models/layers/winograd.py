"""3×3 convolutions with a quarter of the multiplications (Lavin & Gray 2016, Fast Algorithms for Convolutional Neural
Networks, arXiv:1509.09308)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from voxsphere.models.layers.folding import plainly_on_cpu
from voxsphere.models.layers.product import product

# Of F(4×4, 3×3), equations 21 and 22: what a kernel becomes; tiles and results are transformed in the code below.
_KERNEL = ((6, 0, 0), (-4, -4, -4), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 24))  # in 24ths

WIDE = 128
"""From as many channels on, in and out, the multiplications saved take longer than the additions that tiles cost."""

_LARGE = 96_000  # numbers in an image
_WASTE = 1.3  # places in tiles for a place of the image


def faster(x: Float[Tensor, "batch in_dim rows columns"]) -> bool:
    """Whether images of `WIDE` or more channels are convolved faster here than by PyTorch, by a tenth to six tenths.

    On one thread of a CPU, and not for small images, for which steps and weights, four times as many, weigh too much,
    nor where tiles reach far beyond the edges. Two threads gain nothing on an idle machine and lose on a busy one: they
    meet after each of many short steps.
    """
    channels, rows, columns = x.shape[1:]
    exact = x.dtype in (torch.float32, torch.float64)  # the additions would cost half precision too many digits
    if not (exact and plainly_on_cpu(x) and torch.get_num_threads() == 1):
        return False
    tiled = 16 * -(-rows // 4) * -(-columns // 4)
    return channels * rows * columns >= _LARGE and tiled <= _WASTE * rows * columns


def transformed(weight: Float[Tensor, "dim in_dim 3 3"]) -> Float[Tensor, "36 dim in_dim"]:
    """The weights in the form that `convolved` takes."""
    kernel = weight.new_tensor(_KERNEL) / 24
    return torch.einsum("ia,jb,kcab->ijkc", kernel, kernel, weight).flatten(0, 1).contiguous()


def convolved(
    x: Float[Tensor, "batch in_dim rows columns"], weight: Float[Tensor, "36 dim in_dim"], bias: Float[Tensor, " dim"]
) -> Float[Tensor, "batch dim rows columns"]:
    """Images, channels last and with zeros around them, under `transformed` 3×3 weights; without gradients.

    Tiles of 6×6 places, which overlap by 2, are transformed into 36 numbers, of which each is multiplied with one
    number of the weights; the products are transformed back into 4×4 places. The result differs from the direct
    convolution's by 1e-6 of its size.
    """
    batch, in_dim, rows, columns = x.shape
    down, across = -(-rows // 4), -(-columns // 4)
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1 + 4 * across - columns, 1, 1 + 4 * down - rows))
    strips = x.new_empty(6, down, 4 * across + 2, in_dim)
    tiles = x.new_empty(6, 6, down, across, in_dim)
    dim = weight.shape[1]
    products = x.new_empty(36, down * across, dim)
    halves = x.new_empty(4, 6, down, across, dim)
    result = x.new_empty(batch, down, 4, across, 4, dim)
    # One image after the other: what belongs to one stays in the cache.
    for image, places in zip(padded, result, strict=True):
        _transform(image, strips)
        _transform(strips.permute(2, 0, 1, 3), tiles.permute(1, 3, 0, 2, 4))
        _multiply(tiles.view(36, down * across, in_dim), weight, products)
        _transform_back(products.view(6, 6, down, across, -1), halves)
        _transform_back(halves.transpose(0, 1), places.permute(3, 1, 0, 2, 4))
    whole = result.view(batch, 4 * down, 4 * across, -1)[:, :rows, :columns]
    return (whole + bias).permute(0, 3, 1, 2)


def _multiply(
    x: Float[Tensor, "36 tiles in_dim"], weight: Float[Tensor, "36 dim in_dim"], out: Float[Tensor, "36 tiles dim"]
) -> None:
    for tile, matrix, place in zip(x, weight, out, strict=True):
        place.copy_(product(tile, matrix, times=len(x)))


def _transform(x: Float[Tensor, "4*tiles+2 ..."], out: Float[Tensor, "6 tiles ..."]) -> None:
    """Six places of each tile, two of which are the next tile's first, along the first dimension."""
    a, b, c, d, e, f = (x[place::4][: out.shape[1]] for place in range(6))
    even, odd = torch.sub(e, c, alpha=4), torch.sub(d, b, alpha=4)
    torch.add(even, odd, out=out[1])
    torch.sub(even, odd, out=out[2])
    torch.sub(e, c, out=even)
    torch.sub(d, b, out=odd)
    torch.add(even, odd, alpha=2, out=out[3])
    torch.sub(even, odd, alpha=2, out=out[4])
    torch.add(even, torch.sub(a, c, out=out[0]), alpha=4, out=out[0])
    torch.sub(torch.sub(f, d, out=out[5]), odd, alpha=4, out=out[5])


def _transform_back(x: Float[Tensor, "6 ..."], out: Float[Tensor, "4 ..."]) -> None:
    """Four places from six numbers along the first dimension."""
    a, b, c, d, e, f = x
    near, far, near_slope, far_slope = b + c, d + e, b - c, d - e
    torch.add(torch.add(near, far, out=out[0]), a, out=out[0])
    torch.add(near_slope, far_slope, alpha=2, out=out[1])
    torch.add(near, far, alpha=4, out=out[2])
    torch.add(torch.add(near_slope, far_slope, alpha=8, out=out[3]), f, out=out[3])
