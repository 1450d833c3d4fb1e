"""A front end for features that were computed elsewhere and stored: it passes its frames on."""

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput


class Stored(nn.Module):
    """Frames of `dim` stored features, as they are; a model over it takes feature matrices where others take waves.

    `hop` is how far two frames lie apart, in samples at `sample_rate`: it turns the seconds of a recipe into frames.
    An utterance's path is a locator of its matrix (see `voxsphere.audio.stores.read_array`). Deltas and normalisations
    stand around it as around any front end: `partial(Deltas, of=partial(Stored, dim=23))`.
    """

    input = "stored"

    def __init__(self, *, dim: int = 80, sample_rate: int = 16000, hop: int = 160) -> None:
        super().__init__()
        if min(dim, sample_rate, hop) < 1:
            raise BadInput(f"stored features: dim {dim}, sample_rate {sample_rate}, hop {hop}; each is to be 1 or more")
        self.dim, self.sample_rate, self.hop = dim, sample_rate, hop

    def forward(self, wave: Float[Tensor, "batch frames dim"]) -> Float[Tensor, "batch frames dim"]:
        """The frames given; `BadInput` where they are not of `dim` features."""
        if wave.ndim != 3 or wave.shape[2] != self.dim:
            raise BadInput(f"stored features are [batch, frames, {self.dim}] here, not {list(wave.shape)}")
        return wave

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many: as many."""
        return samples
