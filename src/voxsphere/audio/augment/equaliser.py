"""A random equaliser: the colour that another microphone, line or place would give."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform
from voxsphere.core.errors import BadInput

_LOWEST = 100.0  # Hz; below it there is little speech


@dataclass(frozen=True)
class Equalised:
    """Each frequency with the gain (dB) that lies on straight lines between `gains`, which stand at equal steps of the
    logarithm of frequency from 100 Hz to half the sampling rate. Without delay (zero phase), around the whole wave.
    """

    gains: tuple[float, ...]

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        half = sample_rate / 2
        if half <= _LOWEST:
            raise BadInput(f"an equaliser from {_LOWEST:g} Hz does not lie below half of {sample_rate} Hz")
        points = np.linspace(np.log(_LOWEST), np.log(half), len(self.gains))
        frequencies = np.fft.rfftfreq(len(wave), 1 / sample_rate).clip(_LOWEST)
        gains = 10 ** (np.interp(np.log(frequencies), points, self.gains) / 20)
        return np.fft.irfft(np.fft.rfft(wave) * gains, len(wave)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Equaliser:
    """An equaliser of `points` gains from a normal distribution, whose standard deviation (dB) is drawn from `spread`
    (least and most) for each example; their mean is taken away, so that the loudness stays about the same.

    After the random filters of Nam et al. 2022 (FilterAugment: an acoustic environmental data augmentation method,
    arXiv:2110.03282, linear form), here on the wave and with steps of equal width.
    """

    spread: tuple[float, float] = (0.0, 6.0)
    points: int = 9

    def __post_init__(self) -> None:
        check("Equaliser.spread", self.spread, least=0)
        if self.points < 2:
            raise BadInput(f"Equaliser.points: {self.points} is too few; give 2 or more")

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> Equalised:
        """Which gains, in dB."""
        gains = random.normal(0.0, uniform(random, self.spread), self.points)
        return Equalised(tuple(float(gain) for gain in gains - gains.mean()))
