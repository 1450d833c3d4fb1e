"""How the tests build a small model around one part of the catalogue."""

from functools import partial

from torch import Tensor, nn

from voxsphere.audio.features import Fbank
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine
from voxsphere.models.speaker import SpeakerModel

FBANK = partial(Fbank, num_mels=20, cmn=True)


class Frames(nn.Module):
    """A front end that takes frames as they are, for references that know nothing of waves."""

    input, sample_rate, hop = "wave", 16000, 160

    def __init__(self, dim: int = 80) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, frames: Tensor) -> Tensor:
        return frames


def small(
    features: object = FBANK,
    encoder: object = partial(Tdnn, width=8, last=12),
    pooling: object = StatsPooling,
    projection: object = partial(Affine, dim=6),
) -> "partial[SpeakerModel]":
    """A model with these parts, and tiny ones for the rest."""
    return partial(SpeakerModel, features=features, encoder=encoder, pooling=pooling, projection=projection)


def class_of(part: object) -> object:
    """The class of a part that is given to `SpeakerModel` as a class or as a partial of one."""
    return part.func if isinstance(part, partial) else part
