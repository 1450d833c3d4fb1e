"""The frame layers of a TDNN: dilated convolutions over time, one after the other."""

from collections.abc import Sequence

from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.convolution import ConvNormRelu, ConvReluNorm

ORDERS: dict[str, type[ConvReluNorm] | type[ConvNormRelu]] = {
    "conv-relu-norm": ConvReluNorm,
    "conv-norm-relu": ConvNormRelu,
}


def time_delay_layers(
    widths: Sequence[int],
    kernels: Sequence[int],
    dilations: Sequence[int],
    *,
    order: str = "conv-relu-norm",
    slope: float = 0.0,
    affine: bool = True,
    reflect: bool = False,
) -> nn.Sequential:
    """One layer from each width to the next, of `kernels[i]` frames `dilations[i]` apart.

    Nothing is padded, or with `reflect` as many mirrored frames as keep the length. Raises `BadInput` for an unknown
    `order` and for lists that do not fit together.
    """
    if order not in ORDERS:
        raise BadInput(f"no order of layers {order!r}; there are: {', '.join(ORDERS)}")
    if not len(widths) - 1 == len(kernels) == len(dilations):
        raise BadInput(f"{len(kernels)} kernels and {len(dilations)} dilations; give one of each for every layer")
    if min(widths) < 1:
        raise BadInput(f"a layer {min(widths)} wide holds nothing; give 1 or more")
    return nn.Sequential(
        *(
            ORDERS[order](
                widths[i], widths[i + 1], kernel=kernel, dilation=dilation,
                padding=(kernel - 1) * dilation // 2 if reflect else 0, reflect=reflect, slope=slope, affine=affine,
            )
            for i, (kernel, dilation) in enumerate(zip(kernels, dilations, strict=True))
        )
    )  # fmt: skip


def shortest(kernels: Sequence[int], dilations: Sequence[int], *, reflect: bool = False) -> int:
    """The fewest frames that such layers take: all that one output frame sees, or more than any layer mirrors."""
    spans = [(kernel - 1) * dilation for kernel, dilation in zip(kernels, dilations, strict=True)]
    return 1 + (max(spans) // 2 if reflect else sum(spans))
