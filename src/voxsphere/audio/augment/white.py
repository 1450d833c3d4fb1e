"""White Gaussian noise at a drawn signal-to-noise ratio."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform
from voxsphere.audio.augment.noise import mixed
from voxsphere.core.random import stream


@dataclass(frozen=True)
class AddWhiteNoise:
    """White noise at `snr` dB, of the powers over the whole crop; `seed` is the noise's."""

    snr: float
    seed: int

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        noise = stream("white noise", self.seed).standard_normal(len(wave), dtype=np.float32)
        return mixed(wave, noise, self.snr)


@dataclass(frozen=True, kw_only=True)
class WhiteNoise:
    """White noise at a drawn `snr` (dB, lowest and highest); it needs no recordings."""

    snr: tuple[float, float] = (15.0, 40.0)

    def __post_init__(self) -> None:
        check("WhiteNoise.snr", self.snr)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> AddWhiteNoise:
        """How loud."""
        return AddWhiteNoise(uniform(random, self.snr), int(random.integers(2**63)))
