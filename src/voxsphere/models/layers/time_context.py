"""A narrow detour over time: fewer channels, a mixture of frames, all channels again, the input on top."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.convnext import ConvNeXtLike
from voxsphere.models.layers.maps import convolved
from voxsphere.models.layers.transformer import TransformerLayer

Context = Literal["fc", "conv", "att", "conv+att"]


class TimeContext(nn.Module):
    """A linear layer to `hidden` channels, layer norm, `context`, a linear layer back, and the input on top.

    `context` is `fc` (frame by frame: two linear layers), `conv` (four ConvNeXt blocks of 7, 15 and 31 frames side by
    side), `att` (a convolution over 59 frames for the positions, then a transformer layer) or `conv+att` (ConvNeXt
    blocks of 7, 19, 31 and 59 frames, then a transformer layer). Attention has four heads.
    """

    def __init__(self, width: int, *, hidden: int, context: Context = "conv+att") -> None:
        super().__init__()
        self.reduce = nn.Sequential(nn.Linear(width, hidden), nn.LayerNorm(hidden, eps=1e-6))
        self.convs, self.mixer = _CONTEXTS[_known(context, hidden)](hidden)
        self.expand = nn.Linear(hidden, width)

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch frames width"]:
        narrow = self.convs(self.reduce(x)[:, :, None])[:, :, 0]
        wide: Tensor = self.expand(self.mixer(narrow))
        return wide.add_(x)


class _Positions(nn.Module):
    """What surrounds each frame, added to it: a convolution channel by channel, normed."""

    def __init__(self, width: int, *, frames: int = 59) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, (1, frames), groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Float[Tensor, "batch frames 1 width"]) -> Float[Tensor, "batch frames 1 width"]:
        added: Tensor = x + self.norm(convolved(x, self.conv.weight, self.conv.bias, groups=x.shape[-1]))
        return added


def _fc(width: int) -> tuple[nn.Module, nn.Module]:
    norm = nn.LayerNorm(2 * width, eps=1e-6)
    return nn.Sequential(), nn.Sequential(nn.Linear(width, 2 * width), norm, nn.GELU(), nn.Linear(2 * width, width))


def _conv(width: int) -> tuple[nn.Module, nn.Module]:
    blocks = (ConvNeXtLike(width, kernels=((1, 7), (1, 15), (1, 31))) for _ in range(4))
    return nn.Sequential(*blocks), nn.Identity()


def _att(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.Sequential(_Positions(width)), TransformerLayer(width, hidden=2 * width)


def _conv_att(width: int) -> tuple[nn.Module, nn.Module]:
    blocks = (ConvNeXtLike(width, kernels=((1, frames),)) for frames in (7, 19, 31, 59))
    return nn.Sequential(*blocks), TransformerLayer(width, hidden=width)


_CONTEXTS = {"fc": _fc, "conv": _conv, "att": _att, "conv+att": _conv_att}


def _known(context: Context, hidden: int) -> Context:
    if context not in _CONTEXTS:
        raise BadInput(f"no context {context!r} over time; there are: {', '.join(_CONTEXTS)}")
    if context in ("att", "conv+att") and hidden % 4:
        raise BadInput(f"four heads cannot share {hidden} channels; choose another reduction")
    return context
