"""Small models and references of today's two-dimensional residual networks."""

from functools import partial

from small import Frames, small

from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.simam_resnet import SimAmResNet
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, TwoAffine
from voxsphere.models.speaker import SpeakerModel

SMALL: dict[str, partial[SpeakerModel]] = {
    "ResNet": small(encoder=partial(ResNet, depth=18, width=2)),
    "ResNet, bottlenecks": small(encoder=partial(ResNet, depth=50, width=1)),
    "SimAmResNet": small(encoder=partial(SimAmResNet, width=2)),
    # Wide enough for a hidden unit that is on for one wave and off for another: else batch norm takes back its bias.
    "TwoAffine": small(projection=partial(TwoAffine, dim=24)),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {
    "resnet34": small(
        Frames, partial(ResNet, depth=34, width=8), partial(StatsPooling, floor=1e-7), partial(Affine, dim=32)
    ),
    "resnet50": small(
        Frames, partial(ResNet, depth=50, width=8), partial(StatsPooling, floor=1e-7), partial(Affine, dim=32)
    ),
    "resnet34_two_layers": small(
        Frames, partial(ResNet, depth=34, width=8), partial(StatsPooling, floor=1e-8), partial(TwoAffine, dim=32)
    ),
    "simam_resnet34": small(
        Frames,
        partial(SimAmResNet, depth=34, width=8),
        partial(AttentiveStatsPooling, activation="relu-norm", floor=1e-5),
        partial(Affine, dim=32),
    ),
}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {}
