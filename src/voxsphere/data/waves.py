"""Examples of recordings: a piece of the wave, cut and augmented as drawn."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.chain import apply_all, draw_all, samples_needed
from voxsphere.audio.augment.contract import Augmentation
from voxsphere.audio.wave import opened, read
from voxsphere.core.manifest import Utterance


@dataclass(frozen=True)
class Waves:
    """Waves (±1) of `rate` samples a second."""

    rate: int
    augment: tuple[Augmentation, ...] = ()

    def seconds(self, utterance: Utterance) -> float | None:
        """The utterance's length as it will be heard, where the manifest tells it."""
        return None if utterance.duration is None else utterance.duration / utterance.speed

    def beginning(self, utterance: Utterance, seconds: float = math.inf) -> Float32[np.ndarray, " samples"]:
        """The first `seconds` of the source, played at the utterance's speed."""
        if utterance.start is not None and utterance.duration is not None:
            seconds = min(seconds, utterance.duration)
        limit = seconds if seconds < math.inf else None
        return read(utterance.path, rate=_reading_rate(utterance, self.rate), start=utterance.start, duration=limit)

    def example(self, utterance: Utterance, count: int, random: np.random.Generator) -> Float32[np.ndarray, " samples"]:
        """`count` samples from a drawn place on, after all deeds drawn of the augmentations."""
        deeds = draw_all(self.augment, random, count, self.rate)
        wave = _cut(utterance, samples_needed(deeds, count), self.rate, random)
        return apply_all(deeds, wave, self.rate, count)


def _reading_rate(utterance: Utterance, rate: int) -> int:
    # Played faster is read at a lower rate: one resampling does both.
    return round(rate / utterance.speed)


def _cut(utterance: Utterance, samples: int, rate: int, random: np.random.Generator) -> Float32[np.ndarray, " samples"]:
    """A piece of the utterance at a drawn place, `samples` long; a shorter utterance is repeated."""
    reading_rate = _reading_rate(utterance, rate)
    wanted = samples / reading_rate
    begin = utterance.start or 0.0
    with opened(utterance.path) as recording:
        whole = recording.about.seconds - begin
        if utterance.start is not None and utterance.duration is not None:
            whole = min(whole, utterance.duration)
        if whole <= wanted:
            # A segment that begins after the end is refused by the reader, in its own words.
            limit = None if utterance.start is None or whole <= 0 else whole
            wave = read(recording, rate=reading_rate, start=utterance.start, duration=limit)
            return np.tile(wave, math.ceil(samples / len(wave)))[:samples]
        first = begin + float(random.uniform(0, whole - wanted))
        wave = read(recording, rate=reading_rate, start=first, duration=wanted)
    # The decoder counts whole samples of the file: what rounding leaves out at the end is repeated.
    return wave if len(wave) == samples else np.resize(wave, samples)
