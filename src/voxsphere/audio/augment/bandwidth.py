"""Lower sampling rates, as of telephones and old recordings: what lies above their half is lost."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, whole


@dataclass(frozen=True)
class ThroughRate:
    """The wave resampled to `rate` Hz and back (soxr HQ); as it is where `rate` is no lower than its own."""

    rate: int

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        if self.rate >= sample_rate:
            return wave
        return fitted(resampled(resampled(wave, sample_rate, self.rate), self.rate, sample_rate), len(wave))


def resampled(wave: Float32[np.ndarray, " samples"], rate: int, to: int) -> Float32[np.ndarray, " samples_out"]:
    """The wave at `to` Hz, without delay."""
    if rate == to:
        return wave
    import soxr

    found: Float32[np.ndarray, " samples_out"] = soxr.resample(wave, rate, to, quality="HQ")
    return found


def fitted(wave: Float32[np.ndarray, " samples_in"], samples: int) -> Float32[np.ndarray, " samples"]:
    """The wave cut, or followed by silence, to be `samples` long."""
    return wave[:samples] if len(wave) >= samples else np.pad(wave, (0, samples - len(wave)))


@dataclass(frozen=True, kw_only=True)
class Resample:
    """A way through a drawn lower `rate` (Hz, lowest and highest) and back."""

    rate: tuple[int, int] = (6000, 12000)

    def __post_init__(self) -> None:
        check("Resample.rate", self.rate, least=1000)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> ThroughRate:
        """Which rate."""
        return ThroughRate(whole(random, self.rate))
