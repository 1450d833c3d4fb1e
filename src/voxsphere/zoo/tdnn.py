"""Networks of one-dimensional convolutions over time: x-vector, ECAPA-TDNN, CAM++."""

from collections.abc import Callable
from functools import partial
from typing import Any

from voxsphere.audio.features import Fbank, Spectrogram
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, HiddenAffine, LinearNorm, NormLinearNorm, TwoLayer
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

_FBANK = partial(Fbank, num_mels=80, window="hamming", cmn=True)
_STATS = partial(StatsPooling)
_SPECTROGRAM = partial(Spectrogram, n_fft=320, form="log", frame_length=0.02)  # 161 bins
_WESPEAKER = "WeSpeaker at dfa7419"
_3DSPEAKER = "3D-Speaker at 09e7806"
_SPEECHBRAIN = "SpeechBrain 1.1.2"
_SYSTEM = "SpeakerVerifiaction-pytorch"


def _network(
    name: str,
    paper: str,
    parameters: int,
    source: str,
    encoder: Callable[..., Any],
    pooling: Callable[..., Any],
    projection: Callable[..., Any],
    *,
    features: Callable[..., Any] = _FBANK,
    peer: str = "",
) -> Network:
    """A network of this family; what SpeakerVerifiaction-pytorch was the source of is what that system uses."""
    model = partial(SpeakerModel, features=features, encoder=encoder, pooling=pooling, projection=projection)
    systems = (_SYSTEM,) if source.startswith(_SYSTEM) else ()
    return Network(name, model, paper, parameters, source, systems, peer)


def _of_system(code: str) -> str:
    return f"{_SYSTEM} at e30cf98e ({code})"


def _xvector(
    name: str,
    parameters: int,
    source: str,
    *,
    encoder: Callable[..., Any] = Tdnn,
    pooling: Callable[..., Any] = _STATS,
    projection: Callable[..., Any] = TwoLayer,
    features: Callable[..., Any] = _FBANK,
    peer: str = "",
) -> Network:
    paper = "Snyder et al. 2018, X-vectors: Robust DNN embeddings for speaker recognition"
    return _network(name, paper, parameters, source, encoder, pooling, projection, features=features, peer=peer)


_V5, _V6 = _of_system("TDNN_v5"), _of_system("TDNN_v6")
_PLAIN = partial(Tdnn, affine=False)
_XVECTORS = (
    _xvector("xvector", 4_619_668, _V5, peer=_V5),
    _xvector("xvector-24", 4_476_308, _V5, features=partial(_FBANK, num_mels=24), peer=_V5),
    _xvector("xvector-40", 4_517_268, _V5, features=partial(_FBANK, num_mels=40), peer=_V5),
    _xvector("xvector-161", 4_827_028, _V5, features=_SPECTROGRAM, peer=_V5),
    _xvector("xvector-norm-relu", 4_619_668, _V6, encoder=partial(Tdnn, order="conv-norm-relu"), peer=_V6),
    _xvector(
        "xvector-wespeaker", 4_610_524, _WESPEAKER,
        encoder=_PLAIN, pooling=partial(StatsPooling, floor=1e-7), projection=partial(HiddenAffine), peer=_WESPEAKER,
    ),
    _xvector(
        "xvector-3d-speaker", 4_347_868, _3DSPEAKER,
        encoder=_PLAIN, pooling=partial(StatsPooling, floor=1e-8), projection=partial(Affine, dim=512), peer=_3DSPEAKER,
    ),
    _xvector(
        "xvector-speechbrain", 4_211_604, _SPEECHBRAIN,
        encoder=partial(Tdnn, slope=0.01, reflect=True), projection=partial(Affine, dim=512),
        features=partial(_FBANK, num_mels=24), peer=_SPEECHBRAIN,
    ),
    _network(
        "xvector-attention", "Okabe et al. 2018, Attentive statistics pooling for deep speaker embedding", 5_005_296,
        "counted here", partial(Tdnn), partial(AttentiveStatsPooling, bottleneck=128), partial(TwoLayer),
    ),
)  # fmt: skip

_ECAPAS = (
    _network(
        "ecapa-512", "Desplanques et al. 2020, ECAPA-TDNN, arXiv:2005.07143", 6_191_104, _WESPEAKER,
        partial(EcapaTdnn, width=512, squeeze=128, summed=False), partial(AttentiveStatsPooling, context=True),
        partial(NormLinearNorm), peer=_WESPEAKER,
    ),
)  # fmt: skip

_CAMPPLUS = _network(
    "campplus", "Wang et al. 2023, CAM++, arXiv:2303.00332", 7_176_224, _3DSPEAKER,
    partial(CamPlusPlus), _STATS, partial(LinearNorm, dim=512), peer=_3DSPEAKER,
)  # fmt: skip

NETWORKS = (*_XVECTORS, *_ECAPAS, _CAMPPLUS)
