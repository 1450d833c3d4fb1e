"""Today's two-dimensional residual networks: the r-vector ResNets."""

from functools import partial

from voxsphere.audio.features import Fbank
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

_FBANK = partial(Fbank, num_mels=80, window="hamming", cmn=True)
_WESPEAKER = "WeSpeaker at dfa7419"


def _resnet(depth: int, parameters: int) -> Network:
    return Network(
        name=f"resnet{depth}",
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=partial(ResNet, depth=depth),
            pooling=partial(StatsPooling, floor=1e-7),
            projection=partial(Affine, dim=256),
        ),
        paper="Zeinali et al. 2019, BUT system description to VoxSRC 2019, arXiv:1910.12592",
        parameters=parameters,
        source=_WESPEAKER,
        peer=_WESPEAKER,
    )


NETWORKS = (_resnet(34, 6_634_336), _resnet(293, 28_626_016))
