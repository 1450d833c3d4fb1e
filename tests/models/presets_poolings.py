"""Small models and references of poolings."""

from functools import partial

from small import small

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

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {
    "AttentiveStatsPooling": {"pooling.score.bias"},
    "AttentiveStatsPooling, normed": {"pooling.score.bias"},
    "MultiQueryMultiHeadAttentionPooling": {"pooling.score.bias"},
    "SelfAttentionPooling, vector": {"pooling.score.bias"},
    "StdPooling": {"encoder.layers.4.norm.bias"},
}
