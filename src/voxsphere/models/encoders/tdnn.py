"""The x-vector's frame layers (Snyder et al. 2018, X-vectors: robust DNN embeddings, table 1)."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.entry import bands
from voxsphere.models.layers.time_delay import shortest, time_delay_layers


class Tdnn(nn.Module):
    """Five dilated convolutions over time without padding: 14 frames fewer come out than went in.

    Layer i is `width` channels wide (the last one `last`), sees `kernels[i]` frames `dilations[i]` apart, and is
    followed by ReLU and batch norm, or by batch norm and ReLU with `order="conv-norm-relu"` (TDNN_v6 of
    SpeakerVerifiaction-pytorch). The embedding follows after statistics pooling, in `TwoLayer`.

    A TDNN layer written as unfolding and a linear layer, as a 2-D convolution whose kernel covers all bands, or as a
    1-D convolution is one function, whose fastest form is taken here; `pretrained.foreign` reads the others' weights.

    Without `affine` the batch norms have no scale and shift, as in Kaldi and WeSpeaker. SpeechBrain gives the ReLU
    a `slope` of 0.01 below zero, and keeps the length by mirroring frames at the edges (`reflect`).
    """

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 512,
        last: int = 1500,
        kernels: Sequence[int] = (5, 3, 3, 1, 1),
        dilations: Sequence[int] = (1, 2, 3, 1, 1),
        order: Literal["conv-relu-norm", "conv-norm-relu"] = "conv-relu-norm",
        slope: float = 0.0,
        affine: bool = True,
        reflect: bool = False,
    ) -> None:
        super().__init__()
        widths = [in_dim, *[width] * (len(kernels) - 1), last]
        self.layers = time_delay_layers(
            widths, kernels, dilations, order=order, slope=slope, affine=affine, reflect=reflect
        )
        self.in_dim, self.dim = in_dim, last
        self.shortest = shortest(kernels, dilations, reflect=reflect)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.layers(bands(features, self.in_dim, shortest=self.shortest))
        return frames
