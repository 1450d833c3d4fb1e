"""The models that the tests build: one small one for each part of the catalogue, and those that references know."""

from functools import partial

from torch import Tensor, nn

from voxsphere.audio.features import Fbank, Mfcc, Spectrogram
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.models.campplus import CamPlusPlus
from voxsphere.models.ecapa_tdnn import EcapaTdnn
from voxsphere.models.ge2e_lstm import GE2ELstm
from voxsphere.models.pooling import AttentiveStatsPooling, MeanPooling, StatsPooling
from voxsphere.models.projection import Affine, LengthNorm, LinearNorm, NormLinearNorm, TwoLayer
from voxsphere.models.resnet import ResNet
from voxsphere.models.speaker import SpeakerModel
from voxsphere.models.tdnn import Tdnn


class Frames(nn.Module):
    """A front end that takes frames as they are, for references that know nothing of waves."""

    dim, sample_rate, hop = 80, 16000, 160

    def forward(self, frames: Tensor) -> Tensor:
        return frames


def _model(
    features: object = Frames,
    encoder: object = partial(Tdnn, width=8, last=12),
    pooling: object = StatsPooling,
    projection: object = partial(Affine, dim=6),
) -> "partial[SpeakerModel]":
    return partial(SpeakerModel, features=features, encoder=encoder, pooling=pooling, projection=projection)


_FBANK = partial(Fbank, num_mels=20, cmn=True)
_CAMPPLUS = partial(CamPlusPlus, stem_width=4, width=16, growth=4, bottleneck=8, layers=(2, 1, 2))

# One model for each part of the catalogue (but SpeakerModel, which all of them are), with that part in it.
SMALL = {
    "Fbank": _model(_FBANK),
    "GE2EMel": _model(partial(GE2EMel, num_mels=12)),
    "Mfcc": _model(Mfcc),
    "Spectrogram": _model(Spectrogram),
    "CamPlusPlus": _model(_FBANK, _CAMPPLUS),
    "EcapaTdnn": _model(_FBANK, partial(EcapaTdnn, width=16, last=12, scale=4, squeeze=8)),
    "GE2ELstm": _model(partial(GE2EMel, num_mels=12), partial(GE2ELstm, hidden=8, layers=2, dim=8), MeanPooling),
    "ResNet": _model(_FBANK, partial(ResNet, depth=18, width=2)),
    "Tdnn": _model(_FBANK, partial(Tdnn, width=16, last=12)),
    "AttentiveStatsPooling": _model(_FBANK, pooling=partial(AttentiveStatsPooling, bottleneck=4, context=True)),
    "MeanPooling": _model(_FBANK, pooling=MeanPooling),
    "StatsPooling": _model(_FBANK, pooling=partial(StatsPooling, unbiased=False)),
    "Affine": _model(_FBANK, projection=partial(Affine, dim=6)),
    "LengthNorm": _model(_FBANK, projection=LengthNorm),
    "LinearNorm": _model(_FBANK, projection=partial(LinearNorm, dim=6)),
    "NormLinearNorm": _model(_FBANK, projection=partial(NormLinearNorm, dim=6)),
    "TwoLayer": _model(_FBANK, projection=partial(TwoLayer, hidden=8, dim=6)),
}

# What `goldens/models/make_references.py` asked of the reference implementations, without a front end.
_ECAPA = partial(EcapaTdnn, width=128, squeeze=128, summed=False)
REFERENCES = {
    "campplus": _model(encoder=CamPlusPlus, projection=partial(LinearNorm, dim=192)),
    "ecapa_tdnn": _model(encoder=_ECAPA, pooling=AttentiveStatsPooling, projection=partial(NormLinearNorm, dim=32)),
    "ecapa_tdnn_context": _model(
        encoder=_ECAPA,
        pooling=partial(AttentiveStatsPooling, context=True),
        projection=partial(NormLinearNorm, dim=32),
    ),
    "resnet34": _model(
        encoder=partial(ResNet, depth=34, width=8),
        pooling=partial(StatsPooling, floor=1e-7),
        projection=partial(Affine, dim=32),
    ),
    "resnet50": _model(
        encoder=partial(ResNet, depth=50, width=8),
        pooling=partial(StatsPooling, floor=1e-7),
        projection=partial(Affine, dim=32),
    ),
}
