"""ReDimNet2: ReDimNet with strides over time within the stages (Yakovlev & Okhotnikov 2026)."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.layers.convolution import affine_of
from voxsphere.models.layers.entry import bands
from voxsphere.models.layers.group_norm import WideGroupNorm
from voxsphere.models.layers.maps import WeightedSum, normed, strided
from voxsphere.models.layers.redim import Block, Stem, bands_left, make_block
from voxsphere.models.layers.time_context import Context, TimeContext

# Strides over bands and over frames, blocks, widening within them, reduction over time.
Stage2 = tuple[tuple[int, int], int, float, int | None]

_STAGES: tuple[Stage2, ...] = (
    ((1, 1), 2, 4, 24), ((2, 1), 3, 3, 24), ((1, 2), 4, 2, 24),
    ((2, 1), 5, 1, 24), ((1, 2), 4, 1, 24), ((2, 1), 3, 1, 24),
)  # fmt: skip


class ReDimNet2(nn.Module):
    """Frames to `last` channels on the bands that are left, at the same rate (arXiv:2603.11841).

    Each of the `stages` ((stride over bands, stride over frames), number of blocks, widening, reduction) takes a
    weighted sum of all earlier outputs as an image, trades bands for channels, and works at the rate to which the
    strides over frames so far multiply; its output counts for as many frames of the sums to come. Frames at the end
    that do not fill the last rate's are dropped. The other options are `ReDimNet`'s, but for: `last`, a linear layer of
    the channels of each band (of all channels at once, without `image`); `image`, whether `dim` is folded channel by
    channel as in 2-D networks, or band by band; `group_norm`, outputs normed in groups of in_dim before they are
    summed; `dual`, the sums receive each stage's image also without its context over time. The last two came with the
    checkpoints trained on VoxBlink2.

    The features are the bands of one image: deltas behind them would be convolved as further bands.

    The stages' kernel sizes in the published configurations ([3, 5] and [3, 7] in B2's) are not used by residual
    blocks, and are left out here.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        channels: int = 24,
        stages: Sequence[Stage2] = _STAGES,
        block: Block = "basic_resnet",
        context: Context = "conv+att",
        group: int = 1,
        last: int | None = None,
        image: bool = True,
        group_norm: bool = False,
        dual: bool = False,
    ) -> None:
        super().__init__()
        self.in_dim, self.image = in_dim, image
        width = in_dim * channels
        self.stem = Stem(channels)
        self.stem_norm = WideGroupNorm(channels, in_dim) if group_norm else nn.Identity()
        self.stages = nn.ModuleList()
        rows, c, rate, rates = in_dim, channels, 1, [1]
        for (stride, frames), count, widening, reduction in stages:
            rate *= frames
            rows, wide = bands_left(rows, stride), int(stride * c * widening)
            down = nn.Conv2d(c, wide, (stride, rate), stride=(stride, rate), groups=math.gcd(c, wide))
            shares = WeightedSum(rates, width) if len(rates) > 1 else None
            c = stride * c
            blocks = [make_block(block, wide, group=group, bands=rows) for _ in range(count)]
            squeeze = _LinearNorm(wide, c) if widening != 1 else nn.Identity()
            time = TimeContext(width, hidden=width // reduction, context=context) if reduction else nn.Identity()
            norms = [WideGroupNorm(channels, in_dim) if group_norm else nn.Identity() for _ in range(2)]
            twice = dual and reduction is not None
            self.stages.append(_Stage(shares, down, nn.Sequential(*blocks), squeeze, time, norms[: 1 + twice]))
            rates += [rate] * (1 + twice)
        self.rate, self.channels_left = rate, c
        self.gather = WeightedSum(rates, width)
        self.last = nn.Linear(c if image else width, last) if last else nn.Identity()
        self.dim = width if last is None else rows * last if image else last

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames = bands(features, self.in_dim, shortest=self.rate).transpose(1, 2)
        frames = frames[:, : frames.shape[1] // self.rate * self.rate]
        outputs: list[Tensor] = [self.stem_norm(self.stem(frames))]
        for stage in self.stages:
            outputs.extend(stage(outputs))
        gathered: Tensor = self.gather(outputs)
        if not self.image:
            return torch.transpose(self.last(gathered), 1, 2)
        image: Tensor = self.last(gathered.reshape(*gathered.shape[:2], -1, self.channels_left))
        return image.permute(0, 3, 2, 1).flatten(1, 2)


class _Stage(nn.Module):
    """All earlier outputs to one more, or two: their sum, strides, 2-D blocks, context over time."""

    def __init__(
        self,
        shares: WeightedSum | None,
        down: nn.Conv2d,
        blocks: nn.Module,
        squeeze: nn.Module,
        time: nn.Module,
        norms: Sequence[nn.Module],
    ) -> None:
        super().__init__()
        self.shares, self.down, self.blocks, self.squeeze, self.time = shares, down, blocks, squeeze, time
        self.norms = nn.ModuleList(norms)

    def forward(self, outputs: Sequence[Float[Tensor, "batch _ width"]]) -> list[Float[Tensor, "batch frames width"]]:
        x = outputs[0] if self.shares is None else self.shares(outputs)
        image = x.unflatten(2, (-1, self.down.in_channels))
        image = strided(image, self.down.weight, self.down.bias, groups=self.down.groups)
        sequence = self.squeeze(self.blocks(image)).flatten(2)
        both = [sequence, self.time(sequence)]
        return [norm(x) for norm, x in zip(self.norms, both[-len(self.norms) :], strict=True)]


class _LinearNorm(nn.Module):
    """A linear layer over the channels of a map, and batch norm."""

    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim, dim)
        self.norm = nn.BatchNorm2d(dim, eps=1e-6)

    def forward(self, x: Float[Tensor, "batch frames bands in_dim"]) -> Float[Tensor, "batch frames bands dim"]:
        if self.training:
            return normed(self.norm, self.linear(x))
        scale, shift = affine_of(self.norm)
        return functional.linear(x, self.linear.weight * scale[:, None], self.linear.bias * scale + shift)
