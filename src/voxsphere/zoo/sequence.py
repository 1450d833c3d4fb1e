"""Recurrent, time-residual and frame-level networks."""

from collections.abc import Callable
from functools import partial

from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Mfcc
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.models.encoders.context_mlp import ContextMlp
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm
from voxsphere.models.encoders.lstm import Lstm
from voxsphere.models.encoders.stacked_dense import StackedDense
from voxsphere.models.encoders.time_resnet import TimeResNet
from voxsphere.models.poolings.last import LastFramePooling
from voxsphere.models.poolings.multitask import LstmAttentionPooling, TanhAttentionPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import AsPooled, LengthNorm, LinearNormLinear, OneLayer
from voxsphere.models.speaker import Encoder, Pooling, SpeakerModel
from voxsphere.zoo.network import Network

_MULTITASK = "multitask_asv at fcd32da"
_SYSTEMS = "SpeakerVerifiaction-pytorch"
_SYSTEMS_LSTM = f"{_SYSTEMS} at e30cf98"
_CEPSTRA = partial(Mfcc, num_ceps=23, num_mels=23)
_DELTAS = partial(Deltas, of=_CEPSTRA, order=2, window=1, form="librosa")
_BOTTLENECKS = partial(TimeResNet, square=True)

# Name, encoder, pooling, and the parameters over cepstra alone and with their deltas.
_TIME_RESNETS: tuple[tuple[str, "partial[TimeResNet]", Callable[..., Pooling], int, int], ...] = (
    ("resnet-mfcc", _BOTTLENECKS, partial(TanhAttentionPooling), 25_682_152, 25_686_568),
    ("resnet-stats", _BOTTLENECKS, partial(StatsPooling), 25_680_104, 25_684_520),
    (
        "resnet-large",
        partial(_BOTTLENECKS, blocks=(3, 4, 23, 3)),
        partial(TanhAttentionPooling),
        44_674_280,
        44_678_696,
    ),
    (
        "resnet-small",
        partial(_BOTTLENECKS, blocks=(2, 2, 2, 2), block="basic", first=16),
        partial(TanhAttentionPooling),
        11_767_640,
        11_769_848,
    ),
    ("resnet-lstm", _BOTTLENECKS, partial(LstmAttentionPooling), 30_538_472, 30_542_888),
)


def _time_resnet(
    name: str, encoder: "partial[TimeResNet]", pooling: Callable[..., Pooling], parameters: int, *, deltas: bool
) -> Network:
    return Network(
        name=f"{name}-deltas" if deltas else name,
        model=partial(
            SpeakerModel,
            features=_DELTAS if deltas else _CEPSTRA,
            encoder=partial(encoder, channels=3) if deltas else encoder,
            pooling=pooling,
            projection=partial(LinearNormLinear),
        ),
        paper="Monteiro et al. 2019, Combining Speaker Recognition and Metric Learning for Speaker-Dependent "
        "Representation Learning",
        parameters=parameters,
        source=_MULTITASK,
        systems=("multitask_asv",),
        peer=_MULTITASK,
    )


def _lstm(name: str, parameters: int, pooling: Callable[..., Pooling]) -> Network:
    return Network(
        name=name,
        model=partial(
            SpeakerModel,
            features=partial(Mfcc, num_ceps=40, num_mels=40),
            encoder=partial(Lstm),
            pooling=pooling,
            projection=partial(OneLayer),
        ),
        paper="Hochreiter & Schmidhuber 1997, Long short-term memory",
        parameters=parameters,
        source=_SYSTEMS_LSTM,
        systems=(_SYSTEMS,),
        peer=_SYSTEMS_LSTM,
    )


def _of_frames(features: Callable[..., Mfcc | Deltas], encoder: Callable[..., Encoder]) -> "partial[SpeakerModel]":
    return partial(
        SpeakerModel, features=features, encoder=encoder, pooling=partial(MeanPooling), projection=partial(AsPooled)
    )


NETWORKS = (
    Network(
        name="ge2e-lstm",
        model=partial(
            SpeakerModel,
            features=partial(GE2EMel),
            encoder=partial(GE2ELstm),
            pooling=partial(MeanPooling),
            projection=partial(LengthNorm),
            min_seconds=0.0,
        ),
        paper="Wan et al. 2018, Generalized End-to-End Loss for Speaker Verification, arXiv:1710.10467",
        parameters=1_423_616,
        source="Resemblyzer 0.1.4",
        peer="Resemblyzer 0.1.4",
    ),
    *(_time_resnet(name, of, pool, plain, deltas=False) for name, of, pool, plain, _ in _TIME_RESNETS),
    *(_time_resnet(name, of, pool, wider, deltas=True) for name, of, pool, _, wider in _TIME_RESNETS),
    _lstm("lstm", 252_672, partial(LastFramePooling)),
    _lstm(
        "attention-lstm",
        260_992,
        partial(SelfAttentionPooling, bottleneck=64, activation="sigmoid", normalised=False),
    ),
    Network(
        name="context-mlp",
        model=_of_frames(
            partial(Mfcc, sample_rate=8000, num_ceps=20, num_mels=24, frame_length=0.03, use_energy=False),
            partial(ContextMlp),
        ),
        paper="santi-pdp/pav_spkid_pytorch 2018, of the course on speech processing at UPC",
        parameters=62_300,
        source="pav_spkid_pytorch at 7ed7851 (20 cepstra; without the layer of its 158 classes)",
        systems=("pav_spkid_pytorch",),
    ),
    # With true deltas, where the original's are always zero; see `StackedDense`.
    Network(
        name="stacked-dense",
        model=_of_frames(
            partial(Deltas, of=partial(Mfcc, sample_rate=8000, num_ceps=13, num_mels=13)), partial(StackedDense)
        ),
        paper="philipperemy/deep-speaker 2018, folder v2",
        parameters=78_200,
        source="deep-speaker v2 at 5ce8037 (without the layer of its 80 classes)",
        systems=("deep-speaker v2",),
    ),
)
