"""Examples of recordings: a piece of the wave, cut and augmented as drawn."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.chain import apply_all, draw_all, place_of, samples_needed
from voxsphere.audio.augment.contract import Augmentation
from voxsphere.audio.augment.repetition import turned
from voxsphere.audio.wave import Recording, opened, read
from voxsphere.core.manifest import Utterance
from voxsphere.data.places import ONE, Places


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

    def examples(
        self, utterance: Utterance, count: int, random: np.random.Generator, places: Places = ONE
    ) -> Float32[np.ndarray, "crops samples"]:
        """`count` samples from each of the drawn places on, after all deeds drawn of the augmentations for it.

        For a single crop only what it takes is read; for several the whole utterance, once.
        """
        whole = None if places == ONE else self.beginning(utterance)
        return np.stack([self._example(utterance, whole, count, random, places) for _ in range(places.count)])

    def _example(
        self,
        utterance: Utterance,
        whole: Float32[np.ndarray, " all"] | None,
        count: int,
        random: np.random.Generator,
        places: Places,
    ) -> Float32[np.ndarray, " samples"]:
        deeds = draw_all(self.augment, random, count, self.rate)
        needed = samples_needed(deeds, count)
        if whole is None:
            wave = _cut(utterance, needed, self.rate, random, place_of(deeds))
        else:
            wave = Places(1, places.edges).cut(whole, needed, random)[0]
        return apply_all(deeds, wave, self.rate, count)


def _reading_rate(utterance: Utterance, rate: int) -> int:
    # Played faster is read at a lower rate: one resampling does both.
    return round(rate / utterance.speed)


def _cut(
    utterance: Utterance, samples: int, rate: int, random: np.random.Generator, place: float | None
) -> Float32[np.ndarray, " samples"]:
    """A piece of the utterance, `samples` long, at a drawn place or from `place` (0–1) on and over its end.

    A shorter utterance is repeated.
    """
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
            return turned(wave, place or 0.0, samples)
        if place is None:
            first = begin + float(random.uniform(0, whole - wanted))
            wave = read(recording, rate=reading_rate, start=first, duration=wanted)
        else:
            wave = _over_the_end(recording, reading_rate, begin, whole, place * whole, wanted)
    # The decoder counts whole samples of the file: what rounding leaves out at the end is repeated.
    return wave if len(wave) == samples else np.resize(wave, samples)


def _over_the_end(
    recording: Recording, rate: int, begin: float, whole: float, first: float, wanted: float
) -> Float32[np.ndarray, " samples"]:
    """The `wanted` seconds from `first` on, of which the last may be the first of the `whole` again."""
    left = whole - first
    if left < _NO_MORE:
        first, left = 0.0, whole
    wave = read(recording, rate=rate, start=begin + first, duration=min(wanted, left))
    missing = wanted - len(wave) / rate
    if left >= wanted or missing <= 0:
        return wave
    return np.concatenate([wave, read(recording, rate=rate, start=begin, duration=missing)])


_NO_MORE = 0.001
"""Seconds before the end at which nothing need be read any more."""
