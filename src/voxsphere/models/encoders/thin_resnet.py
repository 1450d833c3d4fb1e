"""Thin ResNets: a fourth of the usual channels, several kinds of block (Xie et al. 2019, arXiv:1902.10107, table 1)."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.attention import ChannelAttention
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.entry import image, rows_of
from voxsphere.models.layers.frequency_grid import FrequencyGrid
from voxsphere.models.layers.grouped_convolution import Res2Conv2d
from voxsphere.models.layers.image_attention import BandFrameAttention
from voxsphere.models.layers.planar import planar
from voxsphere.models.layers.residual_chain import ResidualChain
from voxsphere.models.layers.stages import joined, rows_left, stages

BLOCKS = ("basic", "se", "cbam", "res2", "se-res2")
STEMS = ("none", "average", "pair", "max")
SHORTCUTS = ("conv1", "average", "conv3", "conv5")


class ThinResNet(nn.Module):
    """A convolution without stride, perhaps halved bands, and stages of which the second and third are strided by 2.

    SpeakerVerifiaction-pytorch's form of the network; its defaults, and its depths by `blocks` (1, 1, 1, 1) 10,
    (2, 2, 2, 2) 18, (3, 4, 6, 3) 34. Stage i is `width` · 2^i channels wide; what is left of the bands is averaged
    into `bins` for each frame and folded into `dim`, channel by channel. `channels=3` takes features with deltas,
    [static, Δ, ΔΔ], as an image of three.

    - `block`: two 3×3 convolutions ("basic"); after them attention to channels by `reduction` times narrower layers
      ("se") or to bands and frames ("cbam", see `BandFrameAttention`); the second of them in `scale` groups ("res2";
      its own code of this name cannot be built and is mended), or both ("se-res2"). With `bottleneck`, blocks of 1×1,
      3×3 and 1×1 whose output is `expansion` times as wide; not in groups.
    - `stem`: how the bands are halved after the first convolution of `kernel` and `stride`: not at all, by the means
      of 3×3 or of pairs of bands, or by the largest of 3×3. `last_stride` is the stride of the fourth stage.
    - `shortcut`: what a shortcut between different shapes is: a strided 1×1, 3×3 or 5×5 convolution, or the means of
      3×3 and a 1×1 convolution.

    The project writes `expansion` into the class that its networks share, and 1 is what it writes: its published
    numbers of parameters for 50 and 101 are those of bottlenecks that end as narrow as they began. They are
    `bottleneck=True, expansion=1` here, and an option touches no other network; the true ones are the default 4.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        blocks: Sequence[int] = (3, 4, 6, 3),
        block: Literal["basic", "se", "cbam", "res2", "se-res2"] = "basic",
        bottleneck: bool = False,
        expansion: int = 4,
        width: int = 16,
        kernel: int = 5,
        stride: int = 1,
        stem: Literal["none", "average", "pair", "max"] = "none",
        last_stride: int = 2,
        shortcut: Literal["conv1", "average", "conv3", "conv5"] = "conv1",
        reduction: int = 8,
        scale: int = 8,
        bins: int | None = 4,
        channels: int = 1,
    ) -> None:
        super().__init__()
        _check(block, stem, shortcut)
        if block.endswith("res2") and (bottleneck or width % scale):
            raise BadInput(f"{block} blocks are no bottlenecks, and their scale ({scale}) divides the width ({width})")
        strides = [1, 2, 2, last_stride][: len(blocks)]
        expansion = expansion if bottleneck else 1
        self.in_dim, self.channels = in_dim, channels
        # Groups of a few channels are convolved faster channel by channel, and turning each image costs more than it
        # brings to the other convolutions.
        self.planar = block.endswith("res2")
        rows = rows_of(in_dim, channels)
        self.first = ConvNorm2d(channels, width, kernel=kernel, stride=(stride, stride), bias=True)
        self.stem = _stem(stem)
        made = partial(
            _block,
            form=block,
            bottleneck=bottleneck,
            expansion=expansion,
            kind=shortcut,
            reduction=reduction,
            scale=scale,
        )
        self.blocks = joined(
            stages([made] * len(strides), width=width, counts=blocks, strides=strides, expansion=expansion)
        )
        rows = rows_left(rows, [stride, 2 if stem in ("average", "max") else 1])
        rows //= 2 if stem == "pair" else 1
        self.grid = FrequencyGrid(expansion * width << len(blocks) - 1, rows_left(rows, strides), bins=bins)
        self.dim = self.grid.dim

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        x = self.stem(self.first(image(features, self.in_dim, self.channels), relu=True))
        frames: Tensor = self.grid(self.blocks(planar(x) if self.planar else x))
        return frames


def _check(block: str, stem: str, shortcut: str) -> None:
    for name, value, choices in (("block", block, BLOCKS), ("stem", stem, STEMS), ("shortcut", shortcut, SHORTCUTS)):
        if value not in choices:
            raise BadInput(f"no {name} {value!r}; there are: {', '.join(choices)}")


def _stem(kind: str) -> nn.Module:
    """Halves the bands and leaves the frames."""
    if kind == "none":
        return nn.Identity()
    if kind == "pair":
        return nn.AvgPool2d((2, 1))
    return (nn.AvgPool2d if kind == "average" else nn.MaxPool2d)(3, stride=(2, 1), padding=1)


def _block(
    in_dim: int,
    width: int,
    *,
    stride: tuple[int, int],
    form: str,
    bottleneck: bool,
    expansion: int,
    kind: str,
    reduction: int,
    scale: int,
) -> ResidualChain:
    dim = expansion * width
    layers: list[nn.Module]
    if bottleneck:
        layers = [
            ConvNorm2d(in_dim, width, kernel=1),
            ConvNorm2d(width, width, kernel=3, stride=stride),
            ConvNorm2d(width, dim, kernel=1),
        ]
    else:
        second = Res2Conv2d(width, scale=scale) if form.endswith("res2") else ConvNorm2d(width, width, kernel=3)
        layers = [ConvNorm2d(in_dim, width, kernel=3, stride=stride), second]
    if form.startswith("se"):
        layers[-1] = nn.Sequential(layers[-1], ChannelAttention(dim, squeeze=max(dim // reduction, 1)))
    elif form == "cbam":
        layers[-1] = nn.Sequential(layers[-1], BandFrameAttention(dim))
    return ResidualChain(*layers, shortcut=_shortcut(in_dim, dim, stride, kind=kind), activation=nn.ReLU(inplace=True))


def _shortcut(in_dim: int, dim: int, stride: tuple[int, int], *, kind: str) -> nn.Module:
    """The input itself where the shapes agree, else what `kind` makes of it."""
    if in_dim == dim and stride == (1, 1):
        return nn.Identity()
    if kind == "average":
        return nn.Sequential(nn.AvgPool2d(3, stride=stride, padding=1), ConvNorm2d(in_dim, dim, kernel=1))
    return ConvNorm2d(in_dim, dim, kernel=int(kind.removeprefix("conv")), stride=stride)
