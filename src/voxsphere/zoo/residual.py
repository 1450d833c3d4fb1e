"""Today's two-dimensional residual networks: ResNet, SimAM-ResNet, Res2Net, ERes2Net."""

from functools import partial

from voxsphere.audio.features import Fbank
from voxsphere.models.encoders.eres2net import ERes2Net
from voxsphere.models.encoders.eres2netv2 import ERes2NetV2
from voxsphere.models.encoders.res2net import Res2Net
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.simam_resnet import SimAmResNet
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, TwoAffine
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

_Encoder = partial[ResNet] | partial[Res2Net] | partial[ERes2Net] | partial[ERes2NetV2]
_WESPEAKER = "WeSpeaker at dfa7419"
_3DSPEAKER = "3D-Speaker at 09e7806"
_RVECTOR = "Zeinali et al. 2019, BUT system description to VoxSRC 2019, arXiv:1910.12592"
_RES2NET = "Gao et al. 2019, Res2Net, arXiv:1904.01169"
_ERES2NET = "Chen et al. 2023, An enhanced Res2Net with local and global feature fusion, arXiv:2305.12838"
_ERES2NETV2 = "Chen et al. 2024, ERes2NetV2, arXiv:2406.02167"
_HUGE = partial(ERes2Net, width=64, base_width=24, scale=3, expansion=4)


def _wespeaker(name: str, encoder: _Encoder, parameters: int, *, paper: str, dim: int = 256) -> Network:
    """A network as WeSpeaker's VoxCeleb recipe has it: a Hamming window, and 1e-7 under the root of the variance."""
    return Network(
        name=name,
        model=partial(
            SpeakerModel,
            features=partial(Fbank, num_mels=80, window="hamming", cmn=True),
            encoder=encoder,
            pooling=partial(StatsPooling, floor=1e-7),
            projection=partial(Affine, dim=dim),
        ),
        paper=paper,
        parameters=parameters,
        source=_WESPEAKER,
        peer=_WESPEAKER,
    )


def _3dspeaker(name: str, encoder: _Encoder, parameters: int, *, paper: str, layers: int = 1) -> Network:
    """A network as 3D-Speaker's VoxCeleb recipe has it: Kaldi's own window, 1e-8 under the root of the variance."""
    return Network(
        name=name,
        model=partial(
            SpeakerModel,
            features=partial(Fbank, num_mels=80, cmn=True),
            encoder=encoder,
            pooling=partial(StatsPooling, floor=1e-8),
            projection=partial(Affine, dim=192) if layers == 1 else partial(TwoAffine, dim=192),
        ),
        paper=paper,
        parameters=parameters,
        source=_3DSPEAKER,
        peer=_3DSPEAKER,
    )


def _simam(depth: int, parameters: int) -> Network:
    return Network(
        name=f"simam-resnet{depth}",
        model=partial(
            SpeakerModel,
            features=partial(Fbank, num_mels=80, window="hamming", cmn=True),
            encoder=partial(SimAmResNet, depth=depth),
            pooling=partial(AttentiveStatsPooling, activation="relu-norm", floor=1e-5),
            projection=partial(Affine, dim=256),
        ),
        paper="Qin et al. 2022, Simple attention module based speaker verification, arXiv:2110.06534",
        parameters=parameters,
        source=_WESPEAKER,
        peer=_WESPEAKER,
    )


_RESNETS = {
    18: 4_105_440,
    34: 6_634_336,
    50: 11_131_360,
    101: 15_892_448,
    152: 19_814_880,
    221: 23_792_224,
    293: 28_626_016,
}

NETWORKS = (
    *(
        _wespeaker(f"resnet{depth}", partial(ResNet, depth=depth), parameters, paper=_RVECTOR)
        for depth, parameters in _RESNETS.items()
    ),
    _3dspeaker("resnet34-3d-speaker", partial(ResNet, depth=34), 6_343_648, paper=_RVECTOR, layers=2),
    _simam(34, 25_213_760),
    _simam(100, 50_232_896),
    _wespeaker("res2net34-base", partial(Res2Net, width=32), 4_689_024, paper=_RES2NET),
    _wespeaker("res2net34-large", partial(Res2Net, width=64), 13_481_472, paper=_RES2NET),
    _3dspeaker("res2net-3d-speaker", partial(Res2Net, width=32), 4_033_600, paper=_RES2NET),
    # WeSpeaker's table of results prints 7.88 M for the first; its own code has 9.89 M, as its author counted too.
    _wespeaker("eres2net34-base", partial(ERes2Net, width=32), 9_887_808, paper=_ERES2NET, dim=512),
    _wespeaker("eres2net34-large", partial(ERes2Net, width=64), 29_016_704, paper=_ERES2NET, dim=512),
    _wespeaker("eres2net34-aug", _HUGE, 55_165_024, paper=_ERES2NET, dim=192),
    _3dspeaker("eres2net-base", partial(ERes2Net, width=32), 6_610_688, paper=_ERES2NET),
    _3dspeaker("eres2net-large", partial(ERes2Net, width=64), 22_462_784, paper=_ERES2NET),
    _3dspeaker("eres2net-huge", _HUGE, 55_165_024, paper=_ERES2NET),
    _3dspeaker("eres2netv2", partial(ERes2NetV2), 17_859_632, paper=_ERES2NETV2),
    _3dspeaker(
        "eres2netv2-w24s4ep4",
        partial(ERes2NetV2, base_width=24, scale=4, expansion=4),
        53_513_632,
        paper=_ERES2NETV2,
    ),
)
