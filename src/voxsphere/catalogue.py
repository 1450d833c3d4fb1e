"""Every part that a saved recipe may name, and its class."""

from collections.abc import Callable
from typing import Any

from voxsphere.audio.augment.bandpass import BandPass
from voxsphere.audio.augment.bandwidth import Resample
from voxsphere.audio.augment.choice import OneOf
from voxsphere.audio.augment.chunks import DropChunks
from voxsphere.audio.augment.clipping import Clip
from voxsphere.audio.augment.codec import Codec
from voxsphere.audio.augment.equaliser import Equaliser
from voxsphere.audio.augment.gain import Volume
from voxsphere.audio.augment.noise import Noise
from voxsphere.audio.augment.notches import DropFrequencies
from voxsphere.audio.augment.repetition import Repeat
from voxsphere.audio.augment.reverb import Reverb
from voxsphere.audio.augment.reversal import Reverse
from voxsphere.audio.augment.room import Room
from voxsphere.audio.augment.sequence import Each
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.augment.speech import KeepSpeech
from voxsphere.audio.augment.speed import Speed
from voxsphere.audio.augment.tones import RemoveTones
from voxsphere.audio.augment.white import WhiteNoise
from voxsphere.audio.features import Fbank, Mfcc, Spectrogram
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.losses.margin import AamSoftmax, AmSoftmax, Softmax
from voxsphere.models.campplus import CamPlusPlus
from voxsphere.models.ecapa_tdnn import EcapaTdnn
from voxsphere.models.ge2e_lstm import GE2ELstm
from voxsphere.models.pooling import AttentiveStatsPooling, MeanPooling, StatsPooling
from voxsphere.models.projection import Affine, LengthNorm, LinearNorm, NormLinearNorm, TwoLayer
from voxsphere.models.resnet import ResNet
from voxsphere.models.speaker import SpeakerModel
from voxsphere.models.tdnn import Tdnn

CATALOGUE: dict[str, Callable[..., Any]] = {
    # augmentation
    "BandPass": BandPass,
    "Clip": Clip,
    "Codec": Codec,
    "DropChunks": DropChunks,
    "DropFrequencies": DropFrequencies,
    "Each": Each,
    "Equaliser": Equaliser,
    "KeepSpeech": KeepSpeech,
    "Noise": Noise,
    "OneOf": OneOf,
    "RemoveTones": RemoveTones,
    "Repeat": Repeat,
    "Resample": Resample,
    "Reverb": Reverb,
    "Reverse": Reverse,
    "Room": Room,
    "SpecAugment": SpecAugment,
    "Speed": Speed,
    "Volume": Volume,
    "WhiteNoise": WhiteNoise,
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
    # classification heads
    "AamSoftmax": AamSoftmax,
    "AmSoftmax": AmSoftmax,
    "Softmax": Softmax,
    # the whole
    "SpeakerModel": SpeakerModel,
}
