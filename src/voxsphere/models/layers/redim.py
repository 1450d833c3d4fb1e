"""What ReDimNet and ReDimNet2 are both made of: the stem and the choice of two-dimensional blocks."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.convnext import ConvNeXtLike
from voxsphere.models.layers.maps import convolved
from voxsphere.models.layers.separable_residual import SeparableResidual

Block = Literal["convnext_like", "convnext_like_relu", "basic_resnet", "basic_resnet_fwse"]
BLOCKS = ("convnext_like", "convnext_like_relu", "basic_resnet", "basic_resnet_fwse")


class Stem(nn.Module):
    """The features as an image, convolved (3×3) to `channels` and normed over them, as a sequence."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 3)
        self.norm = nn.LayerNorm(channels, eps=1e-6)

    def forward(self, features: Float[Tensor, "batch frames bands"]) -> Float[Tensor, "batch frames width"]:
        image: Tensor = self.norm(convolved(features[..., None], self.conv.weight, self.conv.bias))
        return image.flatten(2)


def make_block(name: Block, width: int, *, group: int, bands: int) -> nn.Module:
    """The 2-D block of that name for `width` channels on so many bands; `BadInput` naming the blocks there are."""
    if name not in BLOCKS:
        raise BadInput(f"no block {name!r}; there are: {', '.join(BLOCKS)}")
    groups = groups_of(width, group)
    if name.startswith("convnext"):
        return ConvNeXtLike(width, groups=groups, relu=name.endswith("relu"))
    return SeparableResidual(width, groups=groups, bands=bands if name.endswith("fwse") else 0)


def groups_of(width: int, group: int) -> int:
    """The number of groups in which `width` channels are convolved: as often as `group` goes into them.

    Where it does not go evenly the groups are larger: 12 channels by 8 are one group. `BadInput` where they differ.
    """
    groups = width // group if group > 0 else 0
    if not groups or width % groups:
        raise BadInput(f"{width} channels cannot be convolved in groups of about {group}; choose a divisor of them")
    return groups


def bands_left(bands: int, stride: int) -> int:
    """The bands after a stride over them; `BadInput` where they do not come out even."""
    if stride < 1 or bands % stride:
        raise BadInput(f"{bands} bands cannot be strided by {stride}; choose features that every stride divides")
    return bands // stride
