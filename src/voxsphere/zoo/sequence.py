"""Recurrent, time-residual and frame-level networks."""

from collections.abc import Callable
from functools import partial

from voxsphere.audio.features import Mfcc
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm
from voxsphere.models.encoders.lstm import Lstm
from voxsphere.models.encoders.time_resnet import TimeResNet
from voxsphere.models.poolings.last import LastFramePooling
from voxsphere.models.poolings.multitask import LstmAttentionPooling, TanhAttentionPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import LengthNorm, LinearNormLinear, OneLayer
from voxsphere.models.speaker import Pooling, SpeakerModel
from voxsphere.zoo.network import Network

_MULTITASK = "multitask_asv at fcd32da"
_SYSTEMS = "SpeakerVerifiaction-pytorch"
_SYSTEMS_LSTM = f"{_SYSTEMS} at e30cf98"
_TANH = partial(TanhAttentionPooling, legacy=True)
_BOTTLENECKS = partial(TimeResNet, square=True)


def _time_resnet(
    name: str,
    parameters: int,
    *,
    encoder: "partial[TimeResNet]" = _BOTTLENECKS,
    pooling: Callable[..., Pooling] = _TANH,
) -> Network:
    return Network(
        name=name,
        model=partial(
            SpeakerModel,
            features=partial(Mfcc, num_ceps=23, num_mels=23),
            encoder=encoder,
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
    _time_resnet("resnet-mfcc", 25_682_152),
    _time_resnet("resnet-stats", 25_680_104, pooling=partial(StatsPooling)),
    _time_resnet("resnet-large", 44_674_280, encoder=partial(TimeResNet, blocks=(3, 4, 23, 3), square=True)),
    _time_resnet(
        "resnet-small",
        11_767_640,
        encoder=partial(TimeResNet, blocks=(2, 2, 2, 2), block="basic", first=16, square=True),
    ),
    _time_resnet("resnet-lstm", 30_538_472, pooling=partial(LstmAttentionPooling, legacy=True)),
    _lstm("lstm", 252_672, partial(LastFramePooling)),
    _lstm(
        "attention-lstm",
        260_992,
        partial(SelfAttentionPooling, bottleneck=64, activation="sigmoid", normalised=False),
    ),
)
