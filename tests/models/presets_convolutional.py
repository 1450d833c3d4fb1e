"""Small models and references of the reference systems' two-dimensional networks."""

from functools import partial

from voxsphere.models.speaker import SpeakerModel

SMALL: dict[str, partial[SpeakerModel]] = {}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {}
