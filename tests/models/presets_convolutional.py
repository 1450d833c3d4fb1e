"""Small models and references of the reference systems' two-dimensional networks."""

from functools import partial

from small import Frames, small

from voxsphere.models.encoders.image_resnet import ImageResNet
from voxsphere.models.encoders.normed_resnet20 import NormedResNet20
from voxsphere.models.encoders.rescnn import ResCnn
from voxsphere.models.encoders.resnet20 import ResNet20
from voxsphere.models.encoders.se_resnet import SeResNet
from voxsphere.models.encoders.thin_resnet import ThinResNet
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import Affine, AffineLength, AffineNorm, DoubleRateAffine
from voxsphere.models.speaker import SpeakerModel

_THIN = partial(ThinResNet, blocks=(1, 1, 1), width=4, reduction=1, scale=2, bins=2)
_THIN_SMALL = {
    "ThinResNet": small(encoder=_THIN),
    "ThinResNet, bottlenecks": small(
        encoder=partial(ThinResNet, blocks=(1, 1), width=4, bottleneck=True, block="se", stem="max", shortcut="average")
    ),
    **{f"ThinResNet, {block}": small(encoder=partial(_THIN, block=block)) for block in ("se", "cbam", "res2")},
}


def thin(encoder: "partial[ThinResNet]") -> "partial[SpeakerModel]":
    """A thin network without a front end."""
    return small(partial(Frames, dim=33), encoder, MeanPooling, partial(AffineNorm, dim=32))


SMALL: dict[str, partial[SpeakerModel]] = {
    "AffineLength": small(projection=partial(AffineLength, dim=6)),
    "AffineLength, with batch norm": small(projection=partial(AffineLength, dim=6, norm=True)),
    "AffineNorm": small(projection=partial(AffineNorm, dim=6)),
    "DoubleRateAffine": small(projection=partial(DoubleRateAffine, dim=6)),
    "ImageResNet": small(encoder=partial(ImageResNet, blocks=(1, 1, 1), width=4, bins=2)),
    "ImageResNet, SiResNet": small(
        encoder=partial(ImageResNet, blocks=(1, 1, 1), width=4, kernel=3, stride=1, pool_stride=1, bins=1)
    ),
    "ImageResNet, bottlenecks": small(encoder=partial(ImageResNet, blocks=(1, 1), width=4, bottleneck=True)),
    "NormedResNet20": small(encoder=partial(NormedResNet20, blocks=(1, 2), width=4)),
    "ResCnn": small(encoder=partial(ResCnn, blocks=(1, 1, 1), width=4, bins=2)),
    "ResCnn, bottlenecks": small(encoder=partial(ResCnn, blocks=(1, 2), width=4, bottleneck=True)),
    "ResCnn, LoResNet": small(encoder=partial(ResCnn, blocks=(1, 1), width=4, clip=None, bias="first")),
    "ResCnn, deep-speaker": small(encoder=partial(ResCnn, blocks=(1, 1), width=4, bias="all", rectify=True)),
    "ResNet20": small(encoder=partial(ResNet20, units=(1, 2), width=8)),
    "SeResNet": small(encoder=partial(SeResNet, blocks=(1, 1), width=4, reduction=1)),
    "SeResNet, V2": small(
        encoder=partial(SeResNet, blocks=(1, 1), width=4, kernel=3, stride=1, late_norm=True, reduction=1, bins=None)
    ),
    **_THIN_SMALL,
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {
    "image_resnet18": small(
        partial(Frames, dim=135),
        partial(ImageResNet, blocks=(2, 2, 2, 2), width=8),
        MeanPooling,
        partial(AffineNorm, dim=32),
    ),
    "loresnet8": small(
        partial(Frames, dim=41),
        partial(ResCnn, blocks=(1, 1, 1), width=16, clip=None, bias="first"),
        MeanPooling,
        partial(AffineLength, dim=32, norm=True, alpha=12.0),
    ),
    "normed_resnet20": small(partial(Frames, dim=257), NormedResNet20, MeanPooling, partial(AffineNorm, dim=32)),
    "rescnn10": small(
        partial(Frames, dim=72),
        partial(ResCnn, blocks=(1, 1, 1, 1)),
        MeanPooling,
        partial(AffineLength, dim=32, norm=True),
    ),
    "rescnn_superficial": small(
        partial(Frames, dim=72),
        partial(ResCnn, blocks=(1, 1, 1), clip=None),
        MeanPooling,
        partial(AffineNorm, dim=32),
    ),
    "resnet_se34l": small(
        partial(Frames, dim=40), partial(SeResNet, blocks=(1, 2, 1, 1)), SelfAttentionPooling, partial(Affine, dim=8)
    ),
    "resnet_se34v2": small(
        partial(Frames, dim=40),
        partial(SeResNet, blocks=(1, 2, 1, 1), kernel=3, stride=1, last_stride=2, late_norm=True, bins=None),
        partial(AttentiveStatsPooling, activation="relu-norm", floor=1e-5),
        partial(Affine, dim=8),
    ),
    "siresnet34": small(
        partial(Frames, dim=24),
        partial(ImageResNet, width=16, kernel=3, stride=1, pool_stride=1, bins=1),
        MeanPooling,
        partial(AffineLength, dim=32, alpha=12.0),
    ),
    "thin_resnet18": thin(partial(ThinResNet, blocks=(2, 2, 2, 2), stem="max", shortcut="average")),
    "thin_resnet50": thin(partial(ThinResNet, blocks=(3, 4, 6, 3), bottleneck=True, expansion=1)),
    "thin_resnet_se": thin(partial(ThinResNet, blocks=(1, 1, 1, 1), block="se", stem="average", shortcut="conv3")),
    "thin_resnet_se_res2": thin(
        partial(ThinResNet, blocks=(1, 1, 1, 1), block="se-res2", stem="pair", last_stride=1, shortcut="conv5")
    ),
}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {
    **{name: {"encoder.first.conv.bias"} for name in _THIN_SMALL},
    "AffineLength, with batch norm": {"encoder.layers.4.norm.bias", "projection.linear.bias"},
    "AffineNorm": {"encoder.layers.4.norm.bias", "projection.linear.bias"},
    "ResCnn, LoResNet": {"encoder.entries.0.conv.bias"},
    "ResCnn, deep-speaker": {
        f"encoder.{conv}.conv.bias"
        for i in range(2)
        for conv in (f"entries.{i}", f"stages.{i}.0.layers.0", f"stages.{i}.0.layers.1.0")
    },
}
