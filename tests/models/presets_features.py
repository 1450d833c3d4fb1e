"""Small models and references of front ends."""

from functools import partial

from small import small

from voxsphere.audio.features import Fbank, Mfcc, Spectrogram
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.audio.speechbrain_fbank import SpeechBrainFbank
from voxsphere.models.speaker import SpeakerModel

SMALL: dict[str, partial[SpeakerModel]] = {
    "Fbank": small(partial(Fbank, num_mels=20, cmn=True)),
    "GE2EMel": small(partial(GE2EMel, num_mels=12)),
    "Mfcc": small(Mfcc),
    "SpeechBrainFbank": small(partial(SpeechBrainFbank, num_mels=20)),
    "Spectrogram": small(Spectrogram),
}

# What a golden of the same name was asked of a reference implementation, without a front end.
REFERENCES: dict[str, partial[SpeakerModel]] = {}

# Parameters that shift what a normalisation receives by a constant, which it subtracts again.
SHIFTS: dict[str, set[str]] = {}
