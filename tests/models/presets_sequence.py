"""Small models and references of recurrent, time-residual and frame-level networks."""

from functools import partial

from small import Frames, small

from voxsphere.models.encoders.context_mlp import ContextMlp
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm
from voxsphere.models.encoders.lstm import Lstm
from voxsphere.models.encoders.stacked_dense import StackedDense
from voxsphere.models.encoders.time_resnet import TimeResNet
from voxsphere.models.poolings.last import LastFramePooling
from voxsphere.models.poolings.multitask import LstmAttentionPooling, TanhAttentionPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import AsPooled, LinearNormLinear, OneLayer
from voxsphere.models.speaker import SpeakerModel

_CEPSTRA = partial(Frames, dim=23)
_TAIL = partial(LinearNormLinear, dim=16)
_ATTENTION = partial(TanhAttentionPooling, legacy=True)
_FEW = (1, 2, 1, 1)

SMALL: dict[str, partial[SpeakerModel]] = {
    "AsPooled": small(projection=AsPooled),
    "ContextMlp": small(encoder=partial(ContextMlp, in_frames=5, hidden=16), pooling=MeanPooling, projection=AsPooled),
    "ContextMlp, legacy": small(
        encoder=partial(ContextMlp, in_frames=5, hidden=16, windows="legacy"), pooling=MeanPooling, projection=AsPooled
    ),
    # Log energies as in the paper, and windows that the short waves of the tests fill.
    "GE2ELstm": small(encoder=partial(GE2ELstm, hidden=32, layers=2, dim=32, window=40, step=20), pooling=MeanPooling),
    "LinearNormLinear": small(projection=partial(LinearNormLinear, hidden=8, dim=6)),
    "Lstm": small(encoder=partial(Lstm, hidden=16, dropout=0.0), pooling=LastFramePooling),
    "LstmAttentionPooling": small(pooling=partial(LstmAttentionPooling, hidden=4)),
    # The last frame differs from wave to wave enough for a unit to be on for one and off for another.
    "StackedDense": small(encoder=partial(StackedDense, dim=64), pooling=MeanPooling),
    "TanhAttentionPooling": small(pooling=TanhAttentionPooling),
    "TimeResNet": small(encoder=partial(TimeResNet, blocks=(1, 1, 2), first=6, width=4)),
    "TimeResNet, basic": small(
        encoder=partial(TimeResNet, blocks=(1, 2), block="basic", first=6, width=4, square=True)
    ),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {
    "lstm_end": small(partial(Frames, dim=40), partial(Lstm, hidden=32), LastFramePooling, partial(OneLayer, dim=16)),
    "attention_lstm": small(
        partial(Frames, dim=40),
        partial(Lstm, hidden=32),
        partial(SelfAttentionPooling, bottleneck=8, activation="sigmoid", normalised=False),
        partial(OneLayer, dim=16),
    ),
    "resnet_mfcc": small(_CEPSTRA, partial(TimeResNet, blocks=_FEW, square=True), _ATTENTION, _TAIL),
    "resnet_stats": small(_CEPSTRA, partial(TimeResNet, blocks=_FEW, square=True), StatsPooling, _TAIL),
    "resnet_large": small(
        partial(Frames, dim=69),
        partial(TimeResNet, blocks=(1, 1, 3, 1), channels=3, square=True),
        _ATTENTION,
        _TAIL,
    ),
    "resnet_small": small(
        _CEPSTRA, partial(TimeResNet, blocks=(2, 2, 2, 2), block="basic", first=16, square=True), _ATTENTION, _TAIL
    ),
    "resnet_lstm": small(
        _CEPSTRA,
        partial(TimeResNet, blocks=_FEW, square=True),
        partial(LstmAttentionPooling, legacy=True),
        _TAIL,
    ),
}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {"LinearNormLinear": {"encoder.layers.4.norm.bias", "projection.layers.0.bias"}}
