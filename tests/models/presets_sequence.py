"""Small models and references of recurrent, time-residual and frame-level networks."""

from functools import partial

from small import small

from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.speaker import SpeakerModel

SMALL: dict[str, partial[SpeakerModel]] = {
    "GE2ELstm": small(partial(GE2EMel, num_mels=12), partial(GE2ELstm, hidden=16, layers=2, dim=16), MeanPooling),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {}
