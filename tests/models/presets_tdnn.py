"""Small models and references of networks of one-dimensional convolutions."""

from functools import partial

from small import Frames, small

from voxsphere.audio.normalisation import UtteranceNorm
from voxsphere.models.encoders.aret_tdnn import BLOCKS, AretTdnn
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.dtdnn import Dtdnn
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.etdnn import Etdnn
from voxsphere.models.encoders.ftdnn import Ftdnn
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import (
    Affine,
    LinearNorm,
    NormLinear,
    NormLinearNorm,
    OneLayer,
    TwoAffine,
    TwoLayer,
)
from voxsphere.models.speaker import SpeakerModel

_XVECTOR = partial(Tdnn, width=32, last=48)
_TAIL = partial(TwoLayer, dim=32)
_BANDS = partial(Frames, dim=20)
_ECAPA_MIRRORED = partial(EcapaTdnn, width=64, squeeze=128, summed=False, passed="first", reflect=True, normed=True)
_POOLED_AS_SPEECHBRAIN = partial(
    AttentiveStatsPooling, context=True, activation="relu-norm-tanh", unbiased_context=False, floor=1e-12
)
_ECAPA = partial(EcapaTdnn, width=128, squeeze=128, summed=False)


SMALL: dict[str, partial[SpeakerModel]] = {
    "CamPlusPlus": small(
        encoder=partial(CamPlusPlus, stem_width=4, width=16, growth=4, bottleneck=8, layers=(2, 1, 2))
    ),
    "EcapaTdnn": small(encoder=partial(EcapaTdnn, width=16, last=12, scale=4, squeeze=8)),
    "EcapaTdnn, SpeechBrain": small(
        encoder=partial(
            EcapaTdnn, width=16, last=12, scale=4, squeeze=8, summed=False, passed="first", reflect=True, normed=True
        )
    ),
    **{f"AretTdnn, {block}": small(encoder=partial(AretTdnn, block=block, width=16, last=12)) for block in BLOCKS},
    "Dtdnn": small(encoder=partial(Dtdnn, width=8, growth=4, bottleneck=8, layers=(2, 3))),
    "Etdnn": small(encoder=partial(Etdnn, width=16, last=12)),
    "Ftdnn": small(encoder=partial(Ftdnn, width=16, bottleneck=8, first=12, last=16)),
    "OneLayer": small(projection=partial(OneLayer, dim=40, slope=0.1)),
    "Tdnn": small(encoder=partial(Tdnn, width=16, last=12)),
    "Tdnn, norm before ReLU": small(encoder=partial(Tdnn, width=16, last=12, order="conv-norm-relu")),
    "Tdnn, mirrored edges": small(encoder=partial(Tdnn, width=16, last=12, slope=0.01, affine=False, reflect=True)),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {
    "campplus": small(Frames, encoder=CamPlusPlus, projection=partial(LinearNorm, dim=192)),
    "ecapa_tdnn": small(Frames, _ECAPA, AttentiveStatsPooling, partial(NormLinearNorm, dim=32)),
    "ecapa_tdnn_context": small(
        Frames, _ECAPA, partial(AttentiveStatsPooling, context=True), partial(NormLinearNorm, dim=32)
    ),
    **{
        f"aret_{block}": small(_BANDS, partial(AretTdnn, block=block, width=32, last=48), StatsPooling, _TAIL)
        for block in ("basic", "agg", "cbam")
    },
    "aret_basic_14": small(_BANDS, partial(AretTdnn, block="basic", depth=14, width=32, last=48), StatsPooling, _TAIL),
    **{
        f"aret_{block}_18": small(
            _BANDS, partial(AretTdnn, block=block, depth=18, width=32, last=48), StatsPooling, partial(OneLayer, dim=32)
        )
        for block in ("se", "shuffle")
    },
    "dtdnn": small(
        _BANDS, partial(Dtdnn, width=16, growth=8, bottleneck=16), StatsPooling, partial(LinearNorm, dim=32, bias=True)
    ),
    "etdnn": small(_BANDS, Etdnn, StatsPooling, partial(OneLayer, dim=32, slope=0.01)),
    "ftdnn": small(_BANDS, Ftdnn, partial(StatsPooling, unbiased=False), partial(TwoLayer, hidden=32, dim=32)),
    "ecapa_speechbrain": small(
        _BANDS, partial(_ECAPA_MIRRORED, last=96), _POOLED_AS_SPEECHBRAIN, partial(NormLinear, dim=32)
    ),
    "ecapa_3dspeaker": small(
        _BANDS, partial(_ECAPA_MIRRORED, last=192), _POOLED_AS_SPEECHBRAIN, partial(NormLinear, dim=32)
    ),
    "ecapa_unispeech": small(
        partial(UtteranceNorm, of=_BANDS, variance=True),
        partial(EcapaTdnn, width=64, squeeze=128, summed=False),
        partial(AttentiveStatsPooling, floor=1e-9),
        partial(NormLinear, dim=32),
    ),
    "ecapa_summed": small(
        _BANDS,
        partial(EcapaTdnn, width=64, last=192, squeeze=32),
        partial(AttentiveStatsPooling, floor=1e-9),
        partial(NormLinearNorm, dim=32),
    ),
    "xvector": small(_BANDS, _XVECTOR, StatsPooling, _TAIL),
    "xvector_norm_relu": small(_BANDS, partial(Tdnn, order="conv-norm-relu"), StatsPooling, _TAIL),
    "xvector_wespeaker": small(
        _BANDS,
        partial(_XVECTOR, affine=False),
        partial(StatsPooling, floor=1e-7),
        partial(TwoAffine, dim=32),
    ),
    "xvector_3dspeaker": small(
        _BANDS, partial(_XVECTOR, affine=False), partial(StatsPooling, floor=1e-8), partial(Affine, dim=32)
    ),
    "xvector_speechbrain": small(
        _BANDS, partial(_XVECTOR, slope=0.01, reflect=True), StatsPooling, partial(Affine, dim=32)
    ),
}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {
    "AretTdnn, shuffle": {f"encoder.layers.{i}.norm.bias" for i in (1, 3, 5, 7)},
    "Dtdnn": {"encoder.entry.conv.bias"},
    "Tdnn, norm before ReLU": {f"encoder.layers.{i}.conv.bias" for i in range(5)},
}
