"""Reverberation by room impulse responses from recordings."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.convolve import Response, convolved, prepared
from voxsphere.audio.augment.memory import memory
from voxsphere.audio.augment.sources import Source, listed, one_of
from voxsphere.audio.wave import read
from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class Reverberate:
    """The wave as a room answers it: by the response at unit energy, its strongest tap at no delay.

    So speech stays where it is. The result is as long as the wave; what rings on after its end is cut.
    """

    response: Source
    megabytes: float = 256.0

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        key = ("response", self.response, sample_rate)
        return convolved(wave, memory(self.megabytes).get(key, lambda: _read(self.response, sample_rate)))


def _read(source: Source, sample_rate: int) -> Response:
    seconds = None if source.end is None else source.end - source.begin
    taps = read(source.path, rate=sample_rate, start=source.begin, duration=seconds)
    if not taps.any():
        raise BadInput(f"{source.path}: is silent, so it is no room response; leave it out")
    return prepared(taps)


@dataclass(frozen=True, kw_only=True)
class Reverb:
    """One of the room impulse responses in `sources`, a folder or a table; `kind` chooses (see `sources.listed`).

    Of a response with several channels their mean is taken. Each process keeps up to `megabytes` of what it prepared.
    """

    sources: str
    kind: str = ""
    megabytes: float = 256.0

    def __post_init__(self) -> None:
        if not self.megabytes >= 0:
            raise BadInput(f"Reverb.megabytes: {self.megabytes} is no size; give 0 or more")

    def check(self) -> None:
        """That `sources` lists something."""
        listed(self.sources, self.kind)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> Reverberate:
        """Which room."""
        return Reverberate(one_of(listed(self.sources, self.kind), random), self.megabytes)
