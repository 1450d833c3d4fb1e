"""ReDimNet: two-dimensional and one-dimensional blocks in turn on one volume (Yakovlev et al. 2024)."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.layers.convolution import affine_of
from voxsphere.models.layers.entry import bands
from voxsphere.models.layers.maps import WeightedSum, convolved, normed, strided
from voxsphere.models.layers.redim import Block, Stem, bands_left, groups_of, make_block
from voxsphere.models.layers.time_context import Context, TimeContext

Stage = tuple[int, int, float, int | None]  # stride over bands, blocks, widening within them, reduction over time

# B2 as WeSpeaker has it; zoo/redimnet.py says how its sizes and the paper's differ.
_STAGES: tuple[Stage, ...] = ((1, 2, 1, 12), (2, 2, 1, 12), (1, 3, 1, 12), (2, 4, 1, 8), (1, 4, 1, 8), (2, 4, 1, 4))


class ReDimNet(nn.Module):
    """Frames to in_dim · `channels` channels at the same rate (arXiv:2407.18223, as IDRnD published it).

    Each of the `stages` (stride over bands, number of blocks, widening, reduction) takes a weighted sum of all earlier
    outputs as an image, trades bands for channels by its stride, runs 2-D blocks on channels times the widening, and
    ends as a sequence again; a reduction of r adds context over time through in_dim · channels / r channels, None adds
    none. `block` is `convnext_like`, `convnext_like_relu`, `basic_resnet` or `basic_resnet_fwse` (which attends to the
    bands), its 3×3 convolutions in groups of about `group` channels (see `groups_of`); `context` is one of
    `TimeContext`'s. `last` adds a linear layer to so many channels, with batch norm. `dropout` falls on each stage's
    output in training.

    The features are the bands of one image: deltas behind them would be convolved as further bands.

    The stages' kernel sizes in IDRnD's configurations are not used by its blocks, which are always 3×3, and are left
    out here.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        channels: int = 16,
        stages: Sequence[Stage] = _STAGES,
        block: Block = "convnext_like",
        context: Context = "conv+att",
        group: int = 4,
        last: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.in_dim, self.dropout = in_dim, dropout
        width = in_dim * channels
        self.stem = Stem(channels)
        self.stages = nn.ModuleList()
        rows, c = in_dim, channels
        for place, (stride, count, widening, reduction) in enumerate(stages):
            rows, wide = bands_left(rows, stride), round(stride * c * widening)
            down = nn.Conv2d(c, wide, (stride, 1), stride=(stride, 1))
            c = stride * c
            blocks = [make_block(block, wide, group=group, bands=rows) for _ in range(count)]
            squeeze = _Squeeze(wide, c, group=group) if widening != 1 else nn.Identity()
            time = TimeContext(width, hidden=width // reduction, context=context) if reduction else nn.Identity()
            shares = WeightedSum((1,) * (place + 1), width) if place else None
            self.stages.append(_Stage(shares, down, nn.Sequential(*blocks), squeeze, time))
        self.gather = WeightedSum((1,) * (len(stages) + 1), width)
        self.last = _Last(width, last) if last else nn.Identity()
        self.dim = last or width

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim frames"]:
        outputs = [self.stem(bands(features, self.in_dim).transpose(1, 2))]
        for stage in self.stages:
            outputs.append(functional.dropout(stage(outputs), self.dropout, self.training))
        frames: Tensor = self.last(self.gather(outputs))
        return frames.transpose(1, 2)


class _Stage(nn.Module):
    """All earlier outputs to one more: their sum, a stride, 2-D blocks, context over time."""

    def __init__(
        self, shares: WeightedSum | None, down: nn.Conv2d, blocks: nn.Module, squeeze: nn.Module, time: nn.Module
    ) -> None:
        super().__init__()
        self.shares, self.down, self.blocks, self.squeeze, self.time = shares, down, blocks, squeeze, time

    def forward(self, outputs: Sequence[Float[Tensor, "batch frames width"]]) -> Float[Tensor, "batch frames width"]:
        x = outputs[0] if self.shares is None else self.shares(outputs)
        image = x.unflatten(2, (-1, self.down.in_channels))
        image = self.squeeze(self.blocks(strided(image, self.down.weight, self.down.bias)))
        sequence: Tensor = self.time(image.flatten(2))
        return sequence


class _Squeeze(nn.Module):
    """Back to the channels that fill the volume: a grouped 3×3 convolution, batch norm, GELU, a linear layer."""

    def __init__(self, in_dim: int, dim: int, *, group: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_dim, dim, 3, groups=groups_of(dim, group))
        self.norm = nn.BatchNorm2d(dim, eps=1e-6)
        self.linear = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "batch frames bands in_dim"]) -> Float[Tensor, "batch frames bands dim"]:
        weight, bias, groups = self.conv.weight, self.conv.get_parameter("bias"), self.conv.groups
        if self.training:
            y = normed(self.norm, convolved(x, weight, bias, groups=groups))
        else:
            scale, shift = affine_of(self.norm)
            y = convolved(x, weight * scale[:, None, None, None], bias * scale + shift, groups=groups)
        squeezed: Tensor = self.linear(functional.gelu(y))
        return squeezed


class _Last(nn.Module):
    """A linear layer with batch norm."""

    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim, dim)
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, x: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch frames dim"]:
        normed_frames: Tensor = self.norm(self.linear(x).transpose(1, 2))
        return normed_frames.transpose(1, 2)
