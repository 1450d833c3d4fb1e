"""Speech only: what an energy detector calls no speech is left out."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.vad import speech_frames


@dataclass(frozen=True, kw_only=True)
class KeepSpeech:
    """The wave without its 10 ms frames that hold no speech (`voxsphere.audio.vad`), repeated until it is as long.

    Where less than `least` seconds of speech are found, the wave stays as it is. Nothing is drawn: it is its own deed.
    """

    least: float = 0.3

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> "KeepSpeech":
        """Itself."""
        return self

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        found = speech_only(wave, sample_rate)
        return np.resize(found, len(wave)) if len(found) >= max(1, self.least * sample_rate) else wave


def speech_only(wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " speech"]:
    """What of a wave the energy detector calls speech, in one piece; nothing where it finds none."""
    speech = speech_frames(wave, sample_rate)
    # What is left over after the last whole frame goes with that frame.
    of_sample = np.minimum(np.arange(len(wave)) // round(0.01 * sample_rate), len(speech) - 1)
    return wave[speech[of_sample]] if len(speech) else wave[:0]
