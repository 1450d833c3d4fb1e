"""Res2Net: residual blocks whose channel groups see ever more of the image (Gao et al. 2019, arXiv:1904.01169)."""

from collections.abc import Sequence
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.res2 import Res2Block
from voxsphere.models.layers.stages import joined, rows_left, stages


class Res2Net(nn.Module):
    """Frames as an image of one channel; three of four stages halve both bands and time.

    The stages hold `blocks` Res2 blocks and are 1, 2, 4 and 8 times `width` wide, times `expansion`. What is left of
    the bands is folded into `dim`, channel by channel. `channels=3` takes features with deltas, [static, Δ, ΔΔ], as an
    image of three. The defaults, and the clipping of activations at `clip`, are of WeSpeaker's Res2Net34_Base and
    3D-Speaker's Res2Net, which compute the same; see `Res2Block` for the options.
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
        block = partial(Res2Block, base_width=base_width, scale=scale, expansion=expansion, clip=clip, passes=True)
        self.in_dim, self.channels = in_dim, channels
        rows = rows_of(in_dim, channels)
        self.first = ConvNorm2d(channels, width, kernel=3)
        self.blocks = joined(stages([block] * 4, width=width, counts=blocks, expansion=expansion))
        self.dim = 8 * width * expansion * rows_left(rows)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.blocks(self.first(image(features, self.in_dim, self.channels), relu=True))
        return frames.flatten(1, 2)
