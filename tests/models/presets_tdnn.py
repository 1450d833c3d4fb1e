"""Small models and references of networks of one-dimensional convolutions."""

from functools import partial

from small import Frames, small

from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import LinearNorm, NormLinearNorm
from voxsphere.models.speaker import SpeakerModel

_ECAPA = partial(EcapaTdnn, width=128, squeeze=128, summed=False)


SMALL: dict[str, partial[SpeakerModel]] = {
    "CamPlusPlus": small(
        encoder=partial(CamPlusPlus, stem_width=4, width=16, growth=4, bottleneck=8, layers=(2, 1, 2))
    ),
    "EcapaTdnn": small(encoder=partial(EcapaTdnn, width=16, last=12, scale=4, squeeze=8)),
    "Tdnn": small(encoder=partial(Tdnn, width=16, last=12)),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {
    "campplus": small(Frames, encoder=CamPlusPlus, projection=partial(LinearNorm, dim=192)),
    "ecapa_tdnn": small(Frames, _ECAPA, AttentiveStatsPooling, partial(NormLinearNorm, dim=32)),
    "ecapa_tdnn_context": small(
        Frames, _ECAPA, partial(AttentiveStatsPooling, context=True), partial(NormLinearNorm, dim=32)
    ),
}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {}
