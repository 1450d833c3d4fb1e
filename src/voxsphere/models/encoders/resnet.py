"""The r-vector's 2-D residual network (Zeinali et al. 2019, BUT's system for VoxSRC 2019, arXiv:1910.12592)."""

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.residual import BasicBlock, Bottleneck
from voxsphere.models.layers.stages import joined, rows_left, stages

# Blocks in each of the four stages; from 50 on they are bottlenecks.
DEPTHS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    221: (6, 16, 48, 3),
    293: (10, 20, 64, 3),
}


class ResNet(nn.Module):
    """Frames as an image of one channel; three of four stages halve both bands and time.

    The stages are 1, 2, 4 and 8 times `width` wide (four times that with bottlenecks). What is left of the bands is
    folded into `dim`, channel by channel. `channels=3` takes features with deltas, [static, Δ, ΔΔ], as an image of
    three.
    """

    def __init__(self, in_dim: int, *, depth: int = 34, width: int = 32, channels: int = 1) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise BadInput(f"no ResNet of depth {depth}; there are: {', '.join(map(str, DEPTHS))}")
        block = BasicBlock if depth < 50 else Bottleneck
        self.in_dim, self.channels = in_dim, channels
        rows = rows_of(in_dim, channels)
        self.first = ConvNorm2d(channels, width, kernel=3)
        self.blocks = joined(stages([block] * 4, width=width, counts=DEPTHS[depth], expansion=block.expansion))
        self.dim = 8 * width * block.expansion * rows_left(rows)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.blocks(self.first(image(features, self.in_dim, self.channels), relu=True))
        return frames.flatten(1, 2)
