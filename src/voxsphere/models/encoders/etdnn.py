"""The extended TDNN's frame layers (Snyder et al. 2019, Speaker recognition for multi-speaker conversations)."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.entry import bands
from voxsphere.models.layers.time_delay import shortest, time_delay_layers


class Etdnn(nn.Module):
    """Dilated convolutions with a layer of one frame after each: 22 frames fewer come out than went in.

    Layers are `width` channels wide, the last one `last`. The defaults are SpeakerVerifiaction-pytorch's: nine layers
    and a ReLU with a `slope` below zero; the paper has one layer of one frame more (`kernels` and `dilations` of ten)
    and the plain ReLU.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 512,
        last: int = 1500,
        kernels: Sequence[int] = (5, 1, 3, 1, 3, 1, 3, 1, 1),
        dilations: Sequence[int] = (1, 1, 2, 1, 3, 1, 4, 1, 1),
        slope: float = 0.01,
    ) -> None:
        super().__init__()
        widths = [in_dim, *[width] * (len(kernels) - 1), last]
        self.layers = time_delay_layers(widths, kernels, dilations, slope=slope)
        self.in_dim, self.dim = in_dim, last
        self.shortest = shortest(kernels, dilations)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.layers(bands(features, self.in_dim, shortest=self.shortest))
        return frames
