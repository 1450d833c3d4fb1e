"""Networks of one-dimensional convolutions over time: x-vector, E-, F-, D- and ARET-TDNN, ECAPA-TDNN, CAM++."""

from collections.abc import Callable
from functools import partial
from typing import Any

from voxsphere.audio.features import Fbank, Spectrogram
from voxsphere.audio.speechbrain_fbank import SpeechBrainFbank
from voxsphere.models.encoders.aret_tdnn import AretTdnn, Block
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.dtdnn import Dtdnn
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.etdnn import Etdnn
from voxsphere.models.encoders.ftdnn import Ftdnn
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, LinearNorm, NormLinear, NormLinearNorm, OneLayer, TwoAffine, TwoLayer
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo.network import Network

_FBANK = partial(Fbank, num_mels=80, window="hamming", cmn=True)
_POVEY = partial(Fbank, num_mels=80, cmn=True)  # as 3D-Speaker
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
        encoder=_PLAIN, pooling=partial(StatsPooling, floor=1e-7), projection=partial(TwoAffine, dim=512),
        peer=_WESPEAKER,
    ),
    _xvector(
        "xvector-3d-speaker", 4_347_868, _3DSPEAKER,
        encoder=_PLAIN, pooling=partial(StatsPooling, floor=1e-8), projection=partial(Affine, dim=512), features=_POVEY,
        peer=_3DSPEAKER,
    ),
    _xvector(
        "xvector-speechbrain", 4_211_604, _SPEECHBRAIN,
        encoder=partial(Tdnn, slope=0.01, reflect=True), projection=partial(Affine, dim=512),
        features=partial(SpeechBrainFbank, num_mels=24), peer=_SPEECHBRAIN,
    ),
    # Its section 4.1.2: one score a frame, from 64 nodes with ReLU and batch norm. As in the other x-vectors here, and
    # not there, the bands are 80 and the embedding is the second dense layer.
    _network(
        "xvector-attention", "Okabe et al. 2018, Attentive statistics pooling, arXiv:1803.10963", 4_715_924,
        "counted layer by layer: xvector's 4,619,668, 1500 × 64 + 64, twice 64 for batch norm, 64 for the score",
        partial(Tdnn), partial(AttentiveStatsPooling, bottleneck=64, attention="scalar", activation="relu-norm"),
        partial(TwoLayer),
    ),
)  # fmt: skip

_EXTENDED = "Snyder et al. 2019, Speaker recognition for multi-speaker conversations using x-vectors"
_FACTORISED = (
    "Villalba et al. 2020, State-of-the-art speaker recognition with neural network embeddings in NIST SRE18 and "
    "Speakers in the Wild evaluations; Povey et al. 2018, Semi-orthogonal low-rank matrix factorization"
)
_DENSE = "Yu & Li 2020, Densely connected time delay neural network for speaker verification"
_PAPER_FRAMES = partial(
    Etdnn, kernels=(5, 1, 3, 1, 3, 1, 3, 1, 1, 1), dilations=(1, 1, 2, 1, 3, 1, 4, 1, 1, 1), slope=0.0
)


def _dtdnn(name: str, num_mels: int, parameters: int) -> Network:
    return _network(
        name, _DENSE, parameters, _of_system("DTDNN"),
        partial(Dtdnn), _STATS, partial(LinearNorm, dim=512, bias=True),
        features=partial(_FBANK, num_mels=num_mels), peer=_of_system("DTDNN"),
    )  # fmt: skip


_DEEPER = (
    _network(
        "etdnn", _EXTENDED, 5_166_228, _of_system("ETDNN"),
        partial(Etdnn), _STATS, partial(OneLayer, dim=256, slope=0.01), peer=_of_system("ETDNN"),
    ),
    # ASV-Subtools at 5d7fae8 (extended_xvector.py) has the same layers.
    _network(
        "etdnn-paper", _EXTENDED, 6_462_356,
        "counted layer by layer: its table has ten frame layers and two of 512; weights, biases, two a batch norm",
        _PAPER_FRAMES, _STATS, partial(TwoLayer),
    ),
    _network(
        "ftdnn", _FACTORISED, 13_928_960, _of_system("FTDNN"),
        partial(Ftdnn), partial(StatsPooling, unbiased=False), partial(TwoLayer), peer=_of_system("FTDNN"),
    ),
    _dtdnn("dtdnn", 80, 2_854_912),
    _dtdnn("dtdnn-30", 30, 2_822_912),
)  # fmt: skip


def _aret(block: Block, parameters: int, *, depth: int = 17, code: str = "RET") -> Network:
    """Its RET ends in two layers, its RET_v3 in one."""
    source = _of_system(f"{code}, {block}, {depth}")
    return _network(
        f"aret-{block}" + ("" if depth == 17 else f"-{depth}") + ("-one-layer" if code == "RET_v3" else ""),
        "Zhang et al. 2020, ARET: Aggregated residual extended TDNNs for speaker verification",
        parameters,
        source,
        partial(AretTdnn, block=block, depth=depth),
        _STATS,
        partial(OneLayer, dim=256) if code == "RET_v3" else partial(TwoLayer, dim=256),
        peer=source,
    )


_ARETS = (
    _aret("basic", 12_159_232),
    _aret("agg", 9_222_400),
    _aret("cbam", 12_159_296),
    _aret("se", 13_206_784),
    _aret("shuffle", 6_388_992),
    _aret("agg", 7_068_416, depth=14),
    _aret("agg", 12_589_312, depth=18, code="RET_v2"),
    _aret("basic", 11_240_192, code="RET_v3"),
    _aret("agg", 8_303_360, code="RET_v3"),
)

_ECAPA = "Desplanques et al. 2020, ECAPA-TDNN, arXiv:2005.07143"
_CONTEXT = partial(AttentiveStatsPooling, context=True)
_SUMMED = _of_system("ECAPA_TDNN")


def _ecapa(name: str, width: int, parameters: int, *, context: bool = True, normed: bool = True) -> Network:
    """As in WeSpeaker; its published models have no batch norm after the last layer (`normed`), the paper's has."""
    encoder = partial(EcapaTdnn, width=width, squeeze=128, summed=False)
    pooling = partial(AttentiveStatsPooling, context=context)
    last = partial(NormLinearNorm) if normed else partial(NormLinear)
    return _network(name, _ECAPA, parameters, _WESPEAKER, encoder, pooling, last, peer=_WESPEAKER)


def _paper(name: str, width: int, parameters: int) -> Network:
    """The paper's own: a block receives the sum of all outputs before it, in WeSpeaker the last one alone.

    The sums have no parameters. The reference system's form (`_summed`) has sums, but a wider channel attention and a
    pooling without context; no implementation at hand has both as in the paper.
    """
    return _network(
        name, _ECAPA, parameters, f"the paper's table 1, in millions, and {_WESPEAKER}",
        partial(EcapaTdnn, width=width, squeeze=128), _CONTEXT, partial(NormLinearNorm),
    )  # fmt: skip


def _mirrored(name: str, source: str, features: Callable[..., Any]) -> Network:
    """As in SpeechBrain, from which 3D-Speaker has its code."""
    return _network(
        name, _ECAPA, 20_767_552, source,
        partial(
            EcapaTdnn, width=1024, last=3072, squeeze=128, summed=False, passed="first", reflect=True, normed=True
        ),
        partial(_CONTEXT, activation="relu-norm-tanh", unbiased_context=False, floor=1e-12),
        partial(NormLinear), features=features, peer=source,
    )  # fmt: skip


def _summed(name: str, num_mels: int, parameters: int) -> Network:
    return _network(
        name, _ECAPA, parameters, _SUMMED, partial(EcapaTdnn), partial(AttentiveStatsPooling, floor=1e-9),
        partial(NormLinearNorm), features=partial(_FBANK, num_mels=num_mels), peer=_SUMMED,
    )  # fmt: skip


_ECAPAS = (
    _paper("ecapa-512-paper", 512, 6_191_104),
    _paper("ecapa-1024-paper", 1024, 14_657_472),
    _ecapa("ecapa-512", 512, 6_191_104),
    _ecapa("ecapa-1024", 1024, 14_657_472),
    _ecapa("ecapa-512-no-context", 512, 5_797_888, context=False),
    _ecapa("ecapa-1024-no-context", 1024, 14_264_256, context=False),
    _ecapa("ecapa-512-wespeaker", 512, 6_190_720, normed=False),
    _ecapa("ecapa-1024-wespeaker", 1024, 14_657_088, normed=False),
    _mirrored("ecapa-speechbrain", _SPEECHBRAIN, partial(SpeechBrainFbank, num_mels=80)),
    _mirrored("ecapa-3d-speaker", _3DSPEAKER, _POVEY),
    _summed("ecapa-summed", 80, 6_191_488),
    _summed("ecapa-summed-40", 40, 6_089_088),
)

_CAMPPLUS = _network(
    "campplus", "Wang et al. 2023, CAM++, arXiv:2303.00332", 7_176_224, _3DSPEAKER,
    partial(CamPlusPlus), _STATS, partial(LinearNorm, dim=512), features=_POVEY, peer=_3DSPEAKER,
)  # fmt: skip

NETWORKS = (*_XVECTORS, *_DEEPER, *_ARETS, *_ECAPAS, _CAMPPLUS)
