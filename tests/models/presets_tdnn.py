"""Small models and references of networks of one-dimensional convolutions."""

from functools import partial

from small import Frames, small

from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine, HiddenAffine, LinearNorm, NormLinearNorm, OneLayer, TwoLayer
from voxsphere.models.speaker import SpeakerModel

_XVECTOR = partial(Tdnn, width=32, last=48)
_TAIL = partial(TwoLayer, dim=32)
_BANDS = partial(Frames, dim=20)
_ECAPA = partial(EcapaTdnn, width=128, squeeze=128, summed=False)


SMALL: dict[str, partial[SpeakerModel]] = {
    "CamPlusPlus": small(
        encoder=partial(CamPlusPlus, stem_width=4, width=16, growth=4, bottleneck=8, layers=(2, 1, 2))
    ),
    "EcapaTdnn": small(encoder=partial(EcapaTdnn, width=16, last=12, scale=4, squeeze=8)),
    "HiddenAffine": small(projection=partial(HiddenAffine, hidden=8, dim=6)),
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
    "xvector": small(_BANDS, _XVECTOR, StatsPooling, _TAIL),
    "xvector_norm_relu": small(_BANDS, partial(Tdnn, order="conv-norm-relu"), StatsPooling, _TAIL),
    "xvector_wespeaker": small(
        _BANDS,
        partial(_XVECTOR, affine=False),
        partial(StatsPooling, floor=1e-7),
        partial(HiddenAffine, hidden=32, dim=32),
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
    "Tdnn, norm before ReLU": {f"encoder.layers.{i}.conv.bias" for i in range(5)},
}
