"""Small models and references of poolings."""

from functools import partial

from small import small
from torch import nn

from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.dictionary import LearnableDictionaryPooling
from voxsphere.models.poolings.last import LastFramePooling
from voxsphere.models.poolings.maxima import MaxStatsPooling
from voxsphere.models.poolings.multi_head import MultiHeadAttentionPooling, MultiQueryMultiHeadAttentionPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling, StdPooling
from voxsphere.models.poolings.vlad import NetVladPooling
from voxsphere.models.speaker import SpeakerModel

_LEGACY = {"activation": "sigmoid", "normalised": False}

SMALL: dict[str, partial[SpeakerModel]] = {
    "AttentiveStatsPooling": small(pooling=partial(AttentiveStatsPooling, bottleneck=4, context=True)),
    "AttentiveStatsPooling, legacy": small(
        pooling=partial(AttentiveStatsPooling, bottleneck=4, attention="scalar", **_LEGACY)
    ),
    "AttentiveStatsPooling, normed": small(
        pooling=partial(AttentiveStatsPooling, bottleneck=4, activation="relu-norm-tanh")
    ),
    "LastFramePooling": small(pooling=LastFramePooling),
    "LearnableDictionaryPooling": small(pooling=partial(LearnableDictionaryPooling, components=3)),
    "MaxStatsPooling": small(pooling=MaxStatsPooling),
    "MeanPooling": small(pooling=MeanPooling),
    "MultiHeadAttentionPooling": small(pooling=partial(MultiHeadAttentionPooling, heads=3)),
    "MultiQueryMultiHeadAttentionPooling": small(
        pooling=partial(MultiQueryMultiHeadAttentionPooling, heads=3, bottleneck=4)
    ),
    "MultiQueryMultiHeadAttentionPooling, one layer": small(
        pooling=partial(MultiQueryMultiHeadAttentionPooling, heads=3, layers=1, attention="scalar")
    ),
    "NetVladPooling": small(pooling=partial(NetVladPooling, clusters=3)),
    "NetVladPooling, ghosts": small(pooling=partial(NetVladPooling, clusters=3, ghosts=2)),
    "SelfAttentionPooling": small(pooling=partial(SelfAttentionPooling, bottleneck=4)),
    "SelfAttentionPooling, legacy": small(pooling=partial(SelfAttentionPooling, bottleneck=4, **_LEGACY)),
    "SelfAttentionPooling, vector": small(pooling=partial(SelfAttentionPooling, bottleneck=4, attention="vector")),
    "StatsPooling": small(pooling=partial(StatsPooling, unbiased=False)),
    "StdPooling": small(pooling=StdPooling),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {}

# What the golden `poolings.npz` was asked of reference implementations, under these names, for 24 channels.
POOLING_REFERENCES: dict[str, partial[nn.Module]] = {
    "wespeaker TAP": partial(MeanPooling),
    "wespeaker TSDP": partial(StdPooling),
    "wespeaker TSTP": partial(StatsPooling, floor=1e-7),
    "wespeaker ASTP": partial(AttentiveStatsPooling, bottleneck=8),
    "wespeaker ASTP, context": partial(AttentiveStatsPooling, bottleneck=8, context=True),
    "wespeaker ASP": partial(AttentiveStatsPooling, bottleneck=8, activation="relu-norm", floor=1e-5),
    "wespeaker MHASTP": partial(
        MultiQueryMultiHeadAttentionPooling, queries=1, heads=2, bottleneck=8, attention="scalar"
    ),
    "wespeaker MQMHASTP": partial(MultiQueryMultiHeadAttentionPooling, queries=2, heads=4, bottleneck=8),
    "wespeaker MQMHASTP, one layer": partial(MultiQueryMultiHeadAttentionPooling, queries=3, heads=4, layers=1),
    "3D-Speaker ASTP, context": partial(AttentiveStatsPooling, bottleneck=8, context=True, floor=1e-10),
    "speechbrain ASP": partial(
        AttentiveStatsPooling, bottleneck=8, activation="relu-norm-tanh", unbiased_context=False, floor=1e-12
    ),
    "speechbrain ASP, context": partial(
        AttentiveStatsPooling, bottleneck=8, context=True, activation="relu-norm-tanh", unbiased_context=False,
        floor=1e-12,
    ),
    "voxceleb_trainer SAP": partial(SelfAttentionPooling, bottleneck=24),
    "voxceleb_trainer ASP": partial(AttentiveStatsPooling, bottleneck=24, attention="scalar", floor=1e-5),
    "voxceleb_trainer SAP, V2": partial(
        SelfAttentionPooling, bottleneck=128, attention="vector", activation="relu-norm"
    ),
    "voxceleb_trainer ASP, V2": partial(AttentiveStatsPooling, bottleneck=128, activation="relu-norm", floor=1e-5),
    "SpeakerVerifiaction-pytorch STAP": partial(StatsPooling),
    "SpeakerVerifiaction-pytorch MSTAP": partial(MaxStatsPooling),
    "SpeakerVerifiaction-pytorch SAP": partial(SelfAttentionPooling, bottleneck=8, **_LEGACY),
    "SpeakerVerifiaction-pytorch SAP2": partial(SelfAttentionPooling, bottleneck=8, attention="vector"),
    "SpeakerVerifiaction-pytorch SAP3": partial(SelfAttentionPooling, bottleneck=8),
    "SpeakerVerifiaction-pytorch ASTP": partial(
        AttentiveStatsPooling, bottleneck=8, attention="scalar", floor=1e-12, **_LEGACY
    ),
    "SpeakerVerifiaction-pytorch ASTP2": partial(AttentiveStatsPooling, bottleneck=8, floor=1e-9),
}  # fmt: skip

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {
    "AttentiveStatsPooling": {"pooling.score.bias"},
    "AttentiveStatsPooling, normed": {"pooling.score.bias"},
    "MultiQueryMultiHeadAttentionPooling": {
        f"pooling.attentions.{query}.{head}.score.bias" for query in range(2) for head in range(3)
    },
    "SelfAttentionPooling, vector": {"pooling.score.bias"},
    "StdPooling": {"encoder.layers.4.norm.bias"},
}
