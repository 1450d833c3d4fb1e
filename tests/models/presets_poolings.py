"""Small models and references of poolings."""

from functools import partial

from small import small

from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.speaker import SpeakerModel

SMALL: dict[str, partial[SpeakerModel]] = {
    "AttentiveStatsPooling": small(pooling=partial(AttentiveStatsPooling, bottleneck=4, context=True)),
    "MeanPooling": small(pooling=MeanPooling),
    "StatsPooling": small(pooling=partial(StatsPooling, unbiased=False)),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {"AttentiveStatsPooling": {"pooling.score.bias"}}
