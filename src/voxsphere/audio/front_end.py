"""What a front end shows to those that wrap it."""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor


class FrontEnd(Protocol):
    """Waves (±1, at `sample_rate`) to `dim` features a frame, one frame every `hop` samples.

    Its `input` is "wave", or "stored" where it takes frames that were computed elsewhere. A wrapper takes one as `of`,
    a deferred constructor, and holds what it makes by that name: `partial(Deltas, of=partial(Mfcc, num_ceps=20))`.
    """

    input: str
    dim: int
    sample_rate: int
    hop: int

    def __call__(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]: ...

    def frames_of(self, samples: int) -> int: ...
