"""Steady tones, such as mains hum and whistles, taken out by an adaptive filter."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check
from voxsphere.audio.nlms import nlms


@dataclass(frozen=True, kw_only=True)
class RemoveTones:
    """The wave less what can be told ahead from its past: an adaptive line enhancer (Widrow et al. 1975).

    The filter's input is the wave `delay` seconds earlier. What lasts longer than that, as hum does, is predicted and
    taken out; speech, which changes, is left. Nothing is drawn: it is its own deed.
    """

    taps: int = 128
    step: float = 0.01
    delay: float = 0.05

    def __post_init__(self) -> None:
        check("RemoveTones.taps", (self.taps, self.taps), least=1, most=10000)
        check("RemoveTones.step", (self.step, self.step), least=0, most=2)
        check("RemoveTones.delay", (self.delay, self.delay), least=0.0001, most=10)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> "RemoveTones":
        """Itself."""
        return self

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        earlier = np.concatenate([np.zeros(round(self.delay * sample_rate), np.float32), wave])[: len(wave)]
        return nlms(earlier, wave, taps=self.taps, step=self.step).error.astype(np.float32)
