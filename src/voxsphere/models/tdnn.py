"""The x-vector's frame layers (Snyder et al. 2018, X-vectors: robust DNN embeddings, table 1)."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers import ConvReluNorm


class Tdnn(nn.Module):
    """Five dilated convolutions over time without padding: 14 frames fewer come out than went in.

    Layer i is `width` channels wide (the last one `last`), sees `kernels[i]` frames `dilations[i]` apart, and is
    followed by ReLU and batch norm. The embedding follows after statistics pooling, in `TwoLayer`.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 512,
        last: int = 1500,
        kernels: Sequence[int] = (5, 3, 3, 1, 1),
        dilations: Sequence[int] = (1, 2, 3, 1, 1),
    ) -> None:
        super().__init__()
        if len(kernels) != len(dilations):
            raise BadInput(f"Tdnn: {len(kernels)} kernels and {len(dilations)} dilations; give as many of either")
        if width < 1 or last < 1:
            raise BadInput(f"Tdnn: a width of {width}, the last of {last}: give 1 or more")
        widths = [in_dim, *[width] * (len(kernels) - 1), last]
        self.layers = nn.Sequential(
            *(
                ConvReluNorm(widths[i], widths[i + 1], kernel=kernel, dilation=dilation)
                for i, (kernel, dilation) in enumerate(zip(kernels, dilations, strict=True))
            )
        )
        self.dim = last

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.layers(features.transpose(1, 2))
        return frames
