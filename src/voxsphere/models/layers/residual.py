"""The residual blocks of two-dimensional networks."""

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.convolution import ConvNorm2d


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut (He et al. 2016, Deep Residual Learning, fig. 2)."""

    expansion = 1

    def __init__(self, in_dim: int, width: int, *, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.first = ConvNorm2d(in_dim, width, kernel=3, stride=stride)
        self.second = ConvNorm2d(width, width, kernel=3)
        self.shortcut = shortcut(in_dim, width, stride)

    def forward(self, x: Float[Tensor, "batch in_dim rows columns"]) -> Float[Tensor, "batch dim out_rows out_columns"]:
        result: Tensor = self.second(self.first(x, relu=True), added=self.shortcut(x), relu=True)
        return result


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions and a shortcut; the output is four times as wide (He et al. 2016, fig. 5).

    The 3×3 is strided, as in torchvision and WeSpeaker, not the first 1×1 as in the paper: that would never look at
    three places of four. The weights are the same.
    """

    expansion = 4

    def __init__(self, in_dim: int, width: int, *, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.first = ConvNorm2d(in_dim, width, kernel=1)
        self.second = ConvNorm2d(width, width, kernel=3, stride=stride)
        self.third = ConvNorm2d(width, self.expansion * width, kernel=1)
        self.shortcut = shortcut(in_dim, self.expansion * width, stride)

    def forward(self, x: Float[Tensor, "batch in_dim rows columns"]) -> Float[Tensor, "batch dim out_rows out_columns"]:
        narrow = self.second(self.first(x, relu=True), relu=True)
        result: Tensor = self.third(narrow, added=self.shortcut(x), relu=True)
        return result


def shortcut(in_dim: int, dim: int, stride: tuple[int, int]) -> nn.Module:
    """The input itself where the shapes agree, else a strided 1×1 convolution of it."""
    if in_dim == dim and stride == (1, 1):
        return nn.Identity()
    return ConvNorm2d(in_dim, dim, kernel=1, stride=stride)
