"""ERes2Net: a Res2Net whose groups and whose stages are fused by attention (Chen et al. 2023, arXiv:2305.12838)."""

from collections.abc import Sequence
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.fusion import AttentiveFusion
from voxsphere.models.layers.res2 import Res2Block
from voxsphere.models.layers.stages import rows_left, stages


class ERes2Net(nn.Module):
    """Frames as an image of one channel; three of four stages halve both bands and time (fig. 1 of the paper).

    The stages hold `blocks` Res2 blocks and are 1, 2, 4 and 8 times `width` wide, times `expansion`. Locally, the
    groups of a block are summed in the first two stages and fused by attention in the others. Globally, what was fused
    so far is brought to the next stage's size by a 3×3 convolution and fused with that stage's output; the last of
    these is the result. What is left of the bands is folded into `dim`, channel by channel. `channels=3` takes features
    with deltas, [static, Δ, ΔΔ], as an image of three.

    The defaults are the base network of 3D-Speaker and WeSpeaker, which compute the same; `width=64` is the large one,
    with `base_width=24, scale=3, expansion=4` the huge one. Both clip activations at `clip`, of which the paper says
    nothing.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 32,
        blocks: Sequence[int] = (3, 4, 6, 3),
        base_width: int = 32,
        scale: int = 2,
        expansion: int = 2,
        clip: float = 20.0,
        channels: int = 1,
    ) -> None:
        super().__init__()
        summed = partial(Res2Block, base_width=base_width, scale=scale, expansion=expansion, clip=clip)
        fused = partial(summed, attends=True)
        dims = [(width << stage) * expansion for stage in range(4)]
        self.in_dim, self.channels = in_dim, channels
        rows = rows_of(in_dim, channels)
        self.first = ConvNorm2d(channels, width, kernel=3)
        self.stages = nn.ModuleList(
            stages([summed, summed, fused, fused], width=width, counts=blocks, expansion=expansion)
        )
        self.halve = nn.ModuleList(nn.Conv2d(dim, 2 * dim, 3, stride=2, padding=1, bias=False) for dim in dims[:3])
        self.fuse = nn.ModuleList(AttentiveFusion(dim) for dim in dims[1:])
        self.dim = 8 * width * expansion * rows_left(rows)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        x = self.stages[0](self.first(image(features, self.in_dim, self.channels), relu=True))
        fused: Tensor = x
        for stage, halve, fuse in zip(self.stages[1:], self.halve, self.fuse, strict=True):
            x = stage(x)
            fused = fuse(x, halve(fused))
        return fused.flatten(1, 2)
