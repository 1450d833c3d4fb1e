"""Small models and references of today's two-dimensional residual networks."""

from functools import partial

from small import Frames, small

from voxsphere.models.encoders.eres2net import ERes2Net
from voxsphere.models.encoders.eres2netv2 import ERes2NetV2
from voxsphere.models.encoders.res2net import Res2Net
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.simam_resnet import SimAmResNet
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, TwoAffine
from voxsphere.models.speaker import SpeakerModel

_BLOCKS = (2, 1, 2, 1)
_WESPEAKER, _3DSPEAKER = partial(StatsPooling, floor=1e-7), partial(StatsPooling, floor=1e-8)
_HUGE = partial(ERes2Net, width=8, blocks=_BLOCKS, base_width=24, scale=3, expansion=4)
_W24S4EP4 = partial(ERes2NetV2, width=8, blocks=_BLOCKS, base_width=24, scale=4, expansion=4)
_AFFINE = partial(Affine, dim=32)

SMALL: dict[str, partial[SpeakerModel]] = {
    "ERes2Net": small(encoder=partial(ERes2Net, width=2, blocks=_BLOCKS)),
    "ERes2Net, three groups": small(encoder=partial(ERes2Net, width=3, blocks=_BLOCKS, base_width=24, scale=3)),
    "ERes2NetV2": small(encoder=partial(ERes2NetV2, width=3, blocks=_BLOCKS)),
    "Res2Net": small(encoder=partial(Res2Net, width=2, blocks=_BLOCKS)),
    "Res2Net, three groups": small(encoder=partial(Res2Net, width=2, blocks=_BLOCKS, scale=3)),
    "ResNet": small(encoder=partial(ResNet, depth=18, width=2)),
    "ResNet, bottlenecks": small(encoder=partial(ResNet, depth=50, width=1)),
    "SimAmResNet": small(encoder=partial(SimAmResNet, width=2)),
    # Wide enough for a hidden unit that is on for one wave and off for another: else batch norm takes back its bias.
    "TwoAffine": small(projection=partial(TwoAffine, dim=24)),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {
    "resnet34": small(Frames, partial(ResNet, depth=34, width=8), _WESPEAKER, _AFFINE),
    "resnet50": small(Frames, partial(ResNet, depth=50, width=8), _WESPEAKER, _AFFINE),
    "resnet34_two_layers": small(Frames, partial(ResNet, depth=34, width=8), _3DSPEAKER, partial(TwoAffine, dim=32)),
    "simam_resnet34": small(
        Frames,
        partial(SimAmResNet, depth=34, width=8),
        partial(AttentiveStatsPooling, activation="relu-norm", floor=1e-5),
        _AFFINE,
    ),
    "res2net_wespeaker": small(Frames, partial(Res2Net, width=8, blocks=_BLOCKS), _WESPEAKER, _AFFINE),
    "res2net_3dspeaker": small(Frames, partial(Res2Net, width=8, blocks=_BLOCKS), _3DSPEAKER, _AFFINE),
    "eres2net_wespeaker": small(Frames, partial(ERes2Net, width=8, blocks=_BLOCKS), _WESPEAKER, _AFFINE),
    "eres2net_aug_wespeaker": small(Frames, _HUGE, _WESPEAKER, _AFFINE),
    "eres2net_3dspeaker": small(Frames, partial(ERes2Net, width=8, blocks=_BLOCKS), _3DSPEAKER, _AFFINE),
    "eres2net_huge_3dspeaker": small(Frames, _HUGE, _3DSPEAKER, _AFFINE),
    "eres2netv2": small(Frames, partial(ERes2NetV2, width=8, blocks=_BLOCKS), _3DSPEAKER, _AFFINE),
    "eres2netv2_w24s4ep4": small(Frames, _W24S4EP4, _3DSPEAKER, _AFFINE),
}


def _biases_of_fusions(model: partial[SpeakerModel]) -> set[str]:
    """An attentive fusion's convolutions have biases that the batch norms after them take back."""
    return {name for name, _ in model().named_parameters() if name.endswith(("hidden.conv.bias", "factor.conv.bias"))}


# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {
    name: _biases_of_fusions(SMALL[name]) for name in ("ERes2Net", "ERes2Net, three groups", "ERes2NetV2")
}
