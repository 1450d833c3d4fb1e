"""Every part that a saved recipe may name, and its class."""

from collections.abc import Callable
from typing import Any

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

CATALOGUE: dict[str, Callable[..., Any]] = {
    # features
    "Fbank": Fbank,
    "GE2EMel": GE2EMel,
    "Mfcc": Mfcc,
    "Spectrogram": Spectrogram,
    # encoders
    "CamPlusPlus": CamPlusPlus,
    "EcapaTdnn": EcapaTdnn,
    "GE2ELstm": GE2ELstm,
    "ResNet": ResNet,
    "Tdnn": Tdnn,
    # poolings
    "AttentiveStatsPooling": AttentiveStatsPooling,
    "MeanPooling": MeanPooling,
    "StatsPooling": StatsPooling,
    # projections
    "Affine": Affine,
    "LengthNorm": LengthNorm,
    "LinearNorm": LinearNorm,
    "NormLinearNorm": NormLinearNorm,
    "TwoLayer": TwoLayer,
    # the whole
    "SpeakerModel": SpeakerModel,
}
