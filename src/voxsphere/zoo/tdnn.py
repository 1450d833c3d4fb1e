"""Networks of one-dimensional convolutions over time: x-vector, ECAPA-TDNN, CAM++."""

from functools import partial

from voxsphere.audio.features import Fbank
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import LinearNorm, NormLinearNorm, TwoLayer
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

_FBANK = partial(Fbank, num_mels=80, window="hamming", cmn=True)
_WESPEAKER = "WeSpeaker at dfa7419"
_3DSPEAKER = "3D-Speaker at 09e7806"
_SYSTEMS = "SpeakerVerification-pytorch"

NETWORKS = (
    Network(
        name="xvector",
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=partial(Tdnn),
            pooling=partial(StatsPooling),
            projection=partial(TwoLayer),
        ),
        paper="Snyder et al. 2018, X-vectors: Robust DNN embeddings for speaker recognition",
        parameters=4_619_668,
        source=f"{_SYSTEMS} (TDNN_v5)",
        systems=(_SYSTEMS,),
    ),
    Network(
        name="ecapa-512",
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=partial(EcapaTdnn, width=512, squeeze=128, summed=False),
            pooling=partial(AttentiveStatsPooling, context=True),
            projection=partial(NormLinearNorm),
        ),
        paper="Desplanques et al. 2020, ECAPA-TDNN, arXiv:2005.07143",
        parameters=6_191_104,
        source=_WESPEAKER,
        peer=_WESPEAKER,
    ),
    Network(
        name="campplus",
        model=partial(
            SpeakerModel,
            features=_FBANK,
            encoder=partial(CamPlusPlus),
            pooling=partial(StatsPooling),
            projection=partial(LinearNorm, dim=512),
        ),
        paper="Wang et al. 2023, CAM++, arXiv:2303.00332",
        parameters=7_176_224,
        source=_3DSPEAKER,
        peer=_3DSPEAKER,
    ),
)
