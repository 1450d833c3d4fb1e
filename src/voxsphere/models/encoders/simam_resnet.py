"""SimAM-ResNet: a residual network whose images weigh themselves (Qin et al. 2022, arXiv:2110.06534)."""

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.residual import shortcut
from voxsphere.models.layers.stages import joined, rows_left, stages

# Blocks in each of the four stages.
DEPTHS = {34: (3, 4, 6, 3), 100: (6, 16, 24, 3)}


class SimAmResNet(nn.Module):
    """Frames as an image of one channel; three of four stages halve both bands and time.

    The blocks are basic ones at both depths; their result is `weighed_by_energy` before the shortcut is added. The
    stages are 1, 2, 4 and 8 times `width` wide. What is left of the bands is folded into `dim`, channel by channel.
    `channels=3` takes features with deltas, [static, Δ, ΔΔ], as an image of three. `regularisation` is the λ of the
    energy, which keeps a constant image from dividing by zero.
    """

    def __init__(
        self, in_dim: int, *, depth: int = 34, width: int = 64, regularisation: float = 1e-4, channels: int = 1
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise BadInput(f"no SimAM-ResNet of depth {depth}; there are: {', '.join(map(str, DEPTHS))}")
        block = partial(_Block, regularisation=regularisation)
        self.in_dim, self.channels = in_dim, channels
        rows = rows_of(in_dim, channels)
        self.first = ConvNorm2d(channels, width, kernel=3)
        self.blocks = joined(stages([block] * 4, width=width, counts=DEPTHS[depth]))
        self.dim = 8 * width * rows_left(rows)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.blocks(self.first(image(features, self.in_dim, self.channels), relu=True))
        return frames.flatten(1, 2)


class _Block(nn.Module):
    """Two 3×3 convolutions, the weights of the result, and a shortcut."""

    def __init__(
        self, in_dim: int, width: int, *, stride: tuple[int, int] = (1, 1), regularisation: float = 1e-4
    ) -> None:
        super().__init__()
        self.regularisation = regularisation
        self.first = ConvNorm2d(in_dim, width, kernel=3, stride=stride)
        self.second = ConvNorm2d(width, width, kernel=3)
        self.shortcut = shortcut(in_dim, width, stride)

    def forward(self, x: Float[Tensor, "batch in_dim rows columns"]) -> Float[Tensor, "batch dim out_rows out_columns"]:
        weighed = weighed_by_energy(self.second(self.first(x, relu=True)), self.regularisation)
        return weighed.add_(self.shortcut(x)).relu_()


def weighed_by_energy(
    x: Float[Tensor, "batch channels rows columns"], regularisation: float
) -> Float[Tensor, "batch channels rows columns"]:
    """Each value times the sigmoid of its inverse energy: what differs from the rest of its channel weighs more.

    1/e = (x − μ)² / 4(σ² + λ) + 1/2, with the mean and the unbiased variance of the channel over the whole image (Yang
    et al. 2021, SimAM: A Simple, Parameter-Free Attention Module, equations 5 and 7).
    """
    squares = (x - x.mean((2, 3), keepdim=True)).square_()
    others = max(1, x.shape[2] * x.shape[3] - 1)
    variance = squares.sum((2, 3), keepdim=True) / others
    return x * squares.mul_(0.25 / (variance + regularisation)).add_(0.5).sigmoid_()
