"""He et al.'s residual network for images, over frames (2016, Deep residual learning, arXiv:1512.03385, table 1)."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.frequency_grid import FrequencyGrid
from voxsphere.models.layers.residual import BasicBlock, Bottleneck
from voxsphere.models.layers.stages import joined, rows_left, stages


class ImageResNet(nn.Module):
    """A strided convolution, max-pooling by 3×3, and stages of which all but the first halve bands and frames.

    Stage i is `width` · 2^i channels wide (with `bottleneck` four times that) and has `blocks[i]` blocks. The stem's
    `kernel` is 5×5 in SpeakerVerifiaction-pytorch, 7×7 in the paper; `stride` and `pool_stride` are the steps of the
    stem's convolution and of its max-pooling. What is left of the bands is averaged into `bins` for each frame, where
    images have one, and folded into `dim`, channel by channel. `channels=3` takes features with deltas,
    [static, Δ, ΔΔ], as an image of three.

    - SpeakerVerifiaction-pytorch's ResNet 10, 18 and 34 are (1, 1, 1, 1), (2, 2, 2, 2) and (3, 4, 6, 3); its "50" is
      its 34 and its "101" (3, 4, 23, 3), in blocks of two convolutions. The paper's 50 and 101 are these numbers with
      `bottleneck`, but for the stride: it is in a block's 3×3, as torchvision has it, where the paper's is in the first
      1×1 (the numbers of weights are the same).
    - Its SiResNet34 is `width=16, kernel=3, stride=1, pool_stride=1, bins=1` at the depth of 34.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        blocks: Sequence[int] = (3, 4, 6, 3),
        bottleneck: bool = False,
        width: int = 64,
        kernel: int = 5,
        stride: int = 2,
        pool_stride: int = 2,
        bins: int | None = 4,
        channels: int = 1,
    ) -> None:
        super().__init__()
        block = Bottleneck if bottleneck else BasicBlock
        strides = [1, *[2] * (len(blocks) - 1)]
        self.in_dim, self.channels = in_dim, channels
        rows = rows_of(in_dim, channels)
        self.first = ConvNorm2d(channels, width, kernel=kernel, stride=(stride, stride))
        self.pool = nn.MaxPool2d(3, stride=pool_stride, padding=1)
        made = [block] * len(blocks)
        self.blocks = joined(stages(made, width=width, counts=blocks, strides=strides, expansion=block.expansion))
        rows = rows_left(rows, (stride, pool_stride, *strides))
        self.grid = FrequencyGrid(block.expansion * width << len(blocks) - 1, rows, bins=bins)
        self.dim = self.grid.dim

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        x = self.first(image(features, self.in_dim, self.channels), relu=True)
        frames: Tensor = self.grid(self.blocks(self.pool(x)))
        return frames
