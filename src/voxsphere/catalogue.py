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
from voxsphere.audio.augment.repetition import AppendItself, Repeat
from voxsphere.audio.augment.reverb import Reverb
from voxsphere.audio.augment.reversal import Reverse
from voxsphere.audio.augment.room import Room
from voxsphere.audio.augment.sequence import Each
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.augment.speech import KeepSpeech
from voxsphere.audio.augment.speed import Speed
from voxsphere.audio.augment.tones import RemoveTones
from voxsphere.audio.augment.white import WhiteNoise
from voxsphere.audio.band_passed import BandPassed
from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank, Mfcc, Spectrogram
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.audio.learnt_filters import LinearFilters, TriangularFilters
from voxsphere.audio.lpc import Lpc
from voxsphere.audio.lpcc import Lpcc
from voxsphere.audio.mel_cepstrum import MelCepstrum
from voxsphere.audio.normalisation import FrameNorm, GlobalNorm, SlidingNorm, UtteranceNorm
from voxsphere.audio.self_supervised import SelfSupervised
from voxsphere.audio.sinc import SincFilters
from voxsphere.audio.speechbrain_fbank import SpeechBrainFbank
from voxsphere.audio.stacking import Stacked
from voxsphere.audio.stored import Stored
from voxsphere.audio.tf_mel import TfMel
from voxsphere.audio.torch_mel import TorchMel
from voxsphere.losses.a_softmax import ASoftmax
from voxsphere.losses.center import CenterLoss
from voxsphere.losses.circle import CircleSoftmax
from voxsphere.losses.contrastive import Contrastive
from voxsphere.losses.curricular import CurricularAam
from voxsphere.losses.dynamic_margin import DynamicMargin
from voxsphere.losses.focal import Focal
from voxsphere.losses.ge2e import Ge2e
from voxsphere.losses.hyperbolic import HyperbolicAam
from voxsphere.losses.inter_top_k import InterTopKAam
from voxsphere.losses.koleo import KoLeo
from voxsphere.losses.logistic_margin import LogisticMargin
from voxsphere.losses.margin import AamSoftmax, AmSoftmax
from voxsphere.losses.min_arc import MinArc
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.all_triplets import AllTriplets
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.miners.by_index import ByIndex
from voxsphere.losses.miners.dealt import Dealt
from voxsphere.losses.miners.distance_weighted import DistanceWeighted
from voxsphere.losses.miners.hardest_negative import HardestNegative
from voxsphere.losses.miners.rank_based import RankBased
from voxsphere.losses.miners.semi_hard import SemiHard
from voxsphere.losses.multi_similarity import MultiSimilarity
from voxsphere.losses.n_pair import NPair
from voxsphere.losses.negative_arc import NegativeArc
from voxsphere.losses.prototypical import AngularPrototypical, Prototypical
from voxsphere.losses.ring import RingLoss
from voxsphere.losses.smoothing import LabelSmoothing
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.sphereface2 import SphereFace2
from voxsphere.losses.sub_centre import SubCentreAam
from voxsphere.losses.supervised_contrastive import SupervisedContrastive
from voxsphere.losses.triplet import Triplet
from voxsphere.models.encoders.aret_tdnn import AretTdnn
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.context_mlp import ContextMlp
from voxsphere.models.encoders.dtdnn import Dtdnn
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.eres2net import ERes2Net
from voxsphere.models.encoders.eres2netv2 import ERes2NetV2
from voxsphere.models.encoders.etdnn import Etdnn
from voxsphere.models.encoders.ftdnn import Ftdnn
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm
from voxsphere.models.encoders.image_resnet import ImageResNet
from voxsphere.models.encoders.layer_adapters import LayerAdapters
from voxsphere.models.encoders.lstm import Lstm
from voxsphere.models.encoders.normed_resnet20 import NormedResNet20
from voxsphere.models.encoders.redimnet import ReDimNet
from voxsphere.models.encoders.redimnet2 import ReDimNet2
from voxsphere.models.encoders.res2net import Res2Net
from voxsphere.models.encoders.rescnn import ResCnn
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.resnet20 import ResNet20
from voxsphere.models.encoders.se_resnet import SeResNet
from voxsphere.models.encoders.simam_resnet import SimAmResNet
from voxsphere.models.encoders.stacked_dense import StackedDense
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.encoders.thin_resnet import ThinResNet
from voxsphere.models.encoders.time_resnet import TimeResNet
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.dictionary import LearnableDictionaryPooling
from voxsphere.models.poolings.last import LastFramePooling
from voxsphere.models.poolings.maxima import MaxStatsPooling
from voxsphere.models.poolings.multi_head import MultiHeadAttentionPooling, MultiQueryMultiHeadAttentionPooling
from voxsphere.models.poolings.multitask import LstmAttentionPooling, TanhAttentionPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling, StdPooling
from voxsphere.models.poolings.vlad import NetVladPooling
from voxsphere.models.projection import (
    Affine,
    AffineLength,
    AffineNorm,
    AsPooled,
    DoubleRateAffine,
    LengthNorm,
    LinearNorm,
    LinearNormLinear,
    NormLinear,
    NormLinearNorm,
    OneLayer,
    TwoAffine,
    TwoLayer,
)
from voxsphere.models.speaker import SpeakerModel

CATALOGUE: dict[str, Callable[..., Any]] = {
    # augmentation
    "AppendItself": AppendItself,
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
    "BandPassed": BandPassed,
    "Deltas": Deltas,
    "Fbank": Fbank,
    "FrameNorm": FrameNorm,
    "GE2EMel": GE2EMel,
    "GlobalNorm": GlobalNorm,
    "LinearFilters": LinearFilters,
    "Lpc": Lpc,
    "Lpcc": Lpcc,
    "MelCepstrum": MelCepstrum,
    "Mfcc": Mfcc,
    "SelfSupervised": SelfSupervised,
    "SincFilters": SincFilters,
    "SlidingNorm": SlidingNorm,
    "Spectrogram": Spectrogram,
    "SpeechBrainFbank": SpeechBrainFbank,
    "Stacked": Stacked,
    "Stored": Stored,
    "TfMel": TfMel,
    "TorchMel": TorchMel,
    "TriangularFilters": TriangularFilters,
    "UtteranceNorm": UtteranceNorm,
    # encoders
    "AretTdnn": AretTdnn,
    "CamPlusPlus": CamPlusPlus,
    "ContextMlp": ContextMlp,
    "Dtdnn": Dtdnn,
    "EcapaTdnn": EcapaTdnn,
    "ERes2Net": ERes2Net,
    "ERes2NetV2": ERes2NetV2,
    "Etdnn": Etdnn,
    "Ftdnn": Ftdnn,
    "GE2ELstm": GE2ELstm,
    "ImageResNet": ImageResNet,
    "LayerAdapters": LayerAdapters,
    "Lstm": Lstm,
    "NormedResNet20": NormedResNet20,
    "ReDimNet": ReDimNet,
    "ReDimNet2": ReDimNet2,
    "Res2Net": Res2Net,
    "ResCnn": ResCnn,
    "ResNet": ResNet,
    "ResNet20": ResNet20,
    "SeResNet": SeResNet,
    "SimAmResNet": SimAmResNet,
    "StackedDense": StackedDense,
    "Tdnn": Tdnn,
    "ThinResNet": ThinResNet,
    "TimeResNet": TimeResNet,
    # poolings
    "AttentiveStatsPooling": AttentiveStatsPooling,
    "LastFramePooling": LastFramePooling,
    "LearnableDictionaryPooling": LearnableDictionaryPooling,
    "LstmAttentionPooling": LstmAttentionPooling,
    "MaxStatsPooling": MaxStatsPooling,
    "MeanPooling": MeanPooling,
    "MultiHeadAttentionPooling": MultiHeadAttentionPooling,
    "MultiQueryMultiHeadAttentionPooling": MultiQueryMultiHeadAttentionPooling,
    "NetVladPooling": NetVladPooling,
    "SelfAttentionPooling": SelfAttentionPooling,
    "StatsPooling": StatsPooling,
    "StdPooling": StdPooling,
    "TanhAttentionPooling": TanhAttentionPooling,
    # projections
    "Affine": Affine,
    "AffineLength": AffineLength,
    "AffineNorm": AffineNorm,
    "AsPooled": AsPooled,
    "DoubleRateAffine": DoubleRateAffine,
    "LengthNorm": LengthNorm,
    "LinearNorm": LinearNorm,
    "LinearNormLinear": LinearNormLinear,
    "NormLinear": NormLinear,
    "NormLinearNorm": NormLinearNorm,
    "OneLayer": OneLayer,
    "TwoAffine": TwoAffine,
    "TwoLayer": TwoLayer,
    # classification heads
    "AamSoftmax": AamSoftmax,
    "AmSoftmax": AmSoftmax,
    "ASoftmax": ASoftmax,
    "CircleSoftmax": CircleSoftmax,
    "CurricularAam": CurricularAam,
    "DynamicMargin": DynamicMargin,
    "Focal": Focal,
    "HyperbolicAam": HyperbolicAam,
    "InterTopKAam": InterTopKAam,
    "LabelSmoothing": LabelSmoothing,
    "LogisticMargin": LogisticMargin,
    "Softmax": Softmax,
    "SphereFace2": SphereFace2,
    "SubCentreAam": SubCentreAam,
    # losses on tuples
    "AngularPrototypical": AngularPrototypical,
    "Contrastive": Contrastive,
    "Ge2e": Ge2e,
    "Mined": Mined,
    "MultiSimilarity": MultiSimilarity,
    "NPair": NPair,
    "Prototypical": Prototypical,
    "SupervisedContrastive": SupervisedContrastive,
    "Triplet": Triplet,
    # miners
    "AllTriplets": AllTriplets,
    "BatchHard": BatchHard,
    "ByIndex": ByIndex,
    "Dealt": Dealt,
    "DistanceWeighted": DistanceWeighted,
    "HardestNegative": HardestNegative,
    "RankBased": RankBased,
    "SemiHard": SemiHard,
    # penalties
    "CenterLoss": CenterLoss,
    "KoLeo": KoLeo,
    "MinArc": MinArc,
    "NegativeArc": NegativeArc,
    "RingLoss": RingLoss,
    # the whole
    "SpeakerModel": SpeakerModel,
}
