"""ResNet-20 with batch norm, as SpeakerVerifiaction-pytorch has it."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.residual import BasicBlock, shortcut
from voxsphere.models.layers.residual_chain import ResidualChain


class NormedResNet20(nn.Module):
    """Stages of a block of three 3×3 convolutions, the second strided by 2, and blocks of two.

    Stage i is `width` · 2^i channels wide and has `blocks[i]` blocks. After Hajibabaei & Dai 2018 (arXiv:1807.08312,
    see `ResNet20`), from which it differs in more than the norms: ReLU in place of PReLU and after the sums, and the
    strided convolution inside a residual block with a 1×1 convolution around it. Every band is kept and folded into
    `dim`, channel by channel. `channels=3` takes features with deltas, [static, Δ, ΔΔ], as an image of three.
    """

    def __init__(
        self, in_dim: int, *, blocks: Sequence[int] = (1, 2, 4, 1), width: int = 64, channels: int = 1
    ) -> None:
        super().__init__()
        self.in_dim, self.channels = in_dim, channels
        made: list[nn.Module] = []
        dim, rows = channels, rows_of(in_dim, channels)
        for i, count in enumerate(blocks):
            stage_width = width << i
            made.append(_halving(dim, stage_width))
            made += [BasicBlock(stage_width, stage_width) for _ in range(count - 1)]
            dim, rows = stage_width, (rows + 1) // 2
        self.blocks = nn.Sequential(*made)
        self.dim = dim * rows

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.blocks(image(features, self.in_dim, self.channels))
        return frames.flatten(1, 2)


def _halving(in_dim: int, width: int) -> ResidualChain:
    """The block that halves bands and frames."""
    stride = (2, 2)
    return ResidualChain(
        ConvNorm2d(in_dim, width, kernel=3),
        ConvNorm2d(width, width, kernel=3, stride=stride),
        ConvNorm2d(width, width, kernel=3),
        shortcut=shortcut(in_dim, width, stride),
        activation=nn.ReLU(inplace=True),
    )
