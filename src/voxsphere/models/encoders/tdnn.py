"""The x-vector's frame layers (Snyder et al. 2018, X-vectors: robust DNN embeddings, table 1)."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import ConvReluNorm
from voxsphere.models.layers.entry import bands


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
        widths = [in_dim, *[width] * (len(kernels) - 1), last]
        self.layers = nn.Sequential(
            *(
                ConvReluNorm(widths[i], widths[i + 1], kernel=kernel, dilation=dilation)
                for i, (kernel, dilation) in enumerate(zip(kernels, dilations, strict=True))
            )
        )
        self.in_dim, self.dim = in_dim, last
        self.shortest = 1 + sum((kernel - 1) * dilation for kernel, dilation in zip(kernels, dilations, strict=True))

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.layers(bands(features, self.in_dim, shortest=self.shortest))
        return frames
