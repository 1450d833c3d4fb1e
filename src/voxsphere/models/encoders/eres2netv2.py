"""ERes2NetV2: ERes2Net with wider stages and less fusion, for short speech (Chen et al. 2024, arXiv:2406.02167)."""

from collections.abc import Sequence
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.fusion import AttentiveFusion
from voxsphere.models.layers.res2 import Res2Block
from voxsphere.models.layers.stages import rows_left, stages


class ERes2NetV2(nn.Module):
    """Frames as an image of one channel; three of four stages halve both bands and time (fig. 1 of the paper).

    As in `ERes2Net`, the groups of a block are summed in the first two stages and fused by attention in the others. Of
    the fusions of stages, only that of the third with the fourth is left. The defaults, and the clipping of activations
    at `clip`, are 3D-Speaker's; its `w24s4ep4` is `base_width=24, scale=4, expansion=4`.
    `channels=3` takes features with deltas, [static, Δ, ΔΔ], as an image of three.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 64,
        blocks: Sequence[int] = (3, 4, 6, 3),
        base_width: int = 26,
        scale: int = 2,
        expansion: int = 2,
        clip: float = 20.0,
        channels: int = 1,
    ) -> None:
        super().__init__()
        summed = partial(Res2Block, base_width=base_width, scale=scale, expansion=expansion, clip=clip)
        fused = partial(summed, attends=True)
        last = (width << 3) * expansion
        self.in_dim, self.channels = in_dim, channels
        rows = rows_of(in_dim, channels)
        self.first = ConvNorm2d(channels, width, kernel=3)
        self.stages = nn.ModuleList(
            stages([summed, summed, fused, fused], width=width, counts=blocks, expansion=expansion)
        )
        self.halve = nn.Conv2d(last // 2, last, 3, stride=2, padding=1, bias=False)
        self.fuse = AttentiveFusion(last)
        self.dim = 8 * width * expansion * rows_left(rows)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        x = self.first(image(features, self.in_dim, self.channels), relu=True)
        for stage in self.stages[:3]:
            x = stage(x)
        fused: Tensor = self.fuse(self.stages[3](x), self.halve(x))
        return fused.flatten(1, 2)
