"""Deep Speaker's ResCNN and the nets cut from it (Li et al. 2017, Deep Speaker, arXiv:1705.02304, table 1)."""

import math
from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.frequency_grid import FrequencyGrid
from voxsphere.models.layers.planar import PlanarConvNorm2d, interleaved, planar
from voxsphere.models.layers.residual import shortcut
from voxsphere.models.layers.residual_chain import ResidualChain

BIASES = ("none", "first", "all")


class ResCnn(nn.Module):
    """Stages that each halve bands and frames by a strided 5×5 convolution, and end in residual blocks.

    Stage i is `width` · 2^i channels wide and has `blocks[i]` blocks: two 3×3 convolutions, or with `bottleneck` 1×1,
    3×3 and 1×1 with an output four times as wide. Batch norm follows every convolution, and a ReLU cut off at `clip`
    (None: not cut off). The last stage's bands are averaged into `bins` for each frame and folded into `dim`.
    `channels=3` takes features with deltas, [static, Δ, ΔΔ], as an image of three.

    - Deep Speaker's own depth is `blocks=(3, 3, 3, 3)`. philipperemy/deep-speaker rectifies a block's branch once more
      before it is added (`rectify=True`) and has biases before its batch norms (`bias="all"`), which shift nothing. Its
      Keras pads images of even sides for the strided convolutions by one and two places, where here it is two and two,
      and adds 1e-3 to the variances, where here it is 1e-5.
    - SpeakerVerifiaction-pytorch names its depths after image networks: 10 is (1, 1, 1, 1), 18 (2, 2, 2, 2), and 34 as
      well as "50" (3, 4, 6, 3), "101" (3, 4, 23, 3), all of two-convolution blocks. Networks that deserve the names 50
      and 101 are these numbers with `bottleneck`.
    - Cut after the third stage and not clipped, (1, 1, 1) is its superficial ResCNN, whose blocks it cuts off at 20
      all the same, though not the convolutions before them: where they stay below, the outputs are the same. With a
      bias in the first convolution (`bias="first"`) it is LoResNet8, and with the fourth stage LoResNet10.

    The parent of that project pooled images of [bands, frames] to 4 × 1: four bands, averaged over time, as here. Its
    later code feeds [frames, bands] to the same line and so keeps four stretches of time: a slip that is not followed.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        blocks: Sequence[int] = (3, 3, 3, 3),
        bottleneck: bool = False,
        width: int = 64,
        clip: float | None = 20.0,
        bins: int | None = 4,
        bias: Literal["none", "first", "all"] = "none",
        rectify: bool = False,
        channels: int = 1,
    ) -> None:
        super().__init__()
        if bias not in BIASES:
            raise BadInput(f"no bias {bias!r}; there are: {', '.join(BIASES)}")
        self.in_dim, self.channels = in_dim, channels
        self.activation = nn.Hardtanh(0.0, math.inf if clip is None else clip, inplace=True)
        self.entries, self.stages = nn.ModuleList(), nn.ModuleList()
        dim, rows = channels, rows_of(in_dim, channels)
        for i, count in enumerate(blocks):
            stage_width, biased = width << i, bias == "all"
            first = biased or (bias == "first" and i == 0)
            self.entries.append(PlanarConvNorm2d(dim, stage_width, kernel=5, stride=2, bias=first))
            dim, rows = stage_width, (rows + 1) // 2
            stage: list[nn.Module] = []
            for _ in range(count):
                stage.append(self._block(dim, stage_width, bottleneck=bottleneck, bias=biased, rectify=rectify))
                dim = 4 * stage_width if bottleneck else stage_width
            self.stages.append(nn.Sequential(*stage))
        self.grid = FrequencyGrid(dim, rows, bins=bins)
        self.dim = self.grid.dim

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        x = image(features, self.in_dim, self.channels)
        for entry, stage in zip(self.entries, self.stages, strict=True):
            x = stage(self.activation(interleaved(entry(planar(x)))))
        frames: Tensor = self.grid(x)
        return frames

    def _block(self, in_dim: int, width: int, *, bottleneck: bool, bias: bool, rectify: bool) -> ResidualChain:
        dim = 4 * width if bottleneck else width
        kernels, widths = ((1, 3, 1), (width, width, dim)) if bottleneck else ((3, 3), (width, width))
        layers: list[nn.Module] = []
        channels = in_dim
        for kernel, layer_width in zip(kernels, widths, strict=True):
            layers.append(ConvNorm2d(channels, layer_width, kernel=kernel, bias=bias))
            channels = layer_width
        if rectify:
            layers[-1] = nn.Sequential(layers[-1], nn.Hardtanh(0.0, self.activation.max_val))
        return ResidualChain(*layers, shortcut=shortcut(in_dim, dim, (1, 1)), activation=self.activation)
