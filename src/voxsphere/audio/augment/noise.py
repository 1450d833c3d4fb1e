"""Noise, music and babble from recordings, added at a drawn signal-to-noise ratio."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.between import check, uniform, whole
from voxsphere.audio.augment.excerpt import excerpt
from voxsphere.audio.augment.memory import memory
from voxsphere.audio.augment.sources import Source, listed, one_of
from voxsphere.core.errors import BadInput


def mixed(
    wave: Float32[np.ndarray, " samples"], noise: Float32[np.ndarray, " samples"], snr: float
) -> Float32[np.ndarray, " samples"]:
    """`wave` and as much `noise` that their powers, means of squares over the whole, stand in a ratio of `snr` dB.

    A silent wave stays silent, and silent noise adds nothing; +∞ dB gives the wave.
    """
    signal, other = power(wave), power(noise)
    if signal == 0 or other == 0:
        return wave
    return wave + np.float32(math.sqrt(signal / other) * 10 ** (-snr / 20)) * noise


def power(wave: Float32[np.ndarray, " samples"]) -> float:
    """The mean of a wave's squares."""
    return float(np.dot(wave, wave)) / max(1, len(wave))


@dataclass(frozen=True)
class AddNoise:
    """Recordings, each (what, from which second), all at one level, added up and mixed in at `snr` dB.

    The ratio is that of the powers over the whole crop, pauses included. A recording that ends begins again.
    """

    pieces: tuple[tuple[Source, float], ...]
    snr: float
    megabytes: float = 256.0

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        kept = memory(self.megabytes)
        sounds = [excerpt(source, start, len(wave), sample_rate, kept) for source, start in self.pieces]
        if len(sounds) > 1:
            levels = [math.sqrt(power(sound)) for sound in sounds]
            heard = [sound / np.float32(level) for sound, level in zip(sounds, levels, strict=True) if level > 0]
            return mixed(wave, np.stack(heard).sum(0), self.snr) if heard else wave
        return mixed(wave, sounds[0], self.snr)


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A recording of `sources` from a drawn place on, at a drawn `snr` (dB, lowest and highest).

    `sources` is a folder or a table, `kind` chooses from it (see `sources.listed`): noise at 0–15 dB, music at 5–15 dB
    and babble at 13–20 dB, of `count`=(3, 7) voices, are the levels of Kaldi's VoxCeleb recipe (Snyder et al. 2018,
    X-vectors). A recording longer than the example is cut at a drawn place, a shorter one begins anywhere and is
    repeated. Each process keeps up to `megabytes` of what it read.
    """

    sources: str
    kind: str = ""
    snr: tuple[float, float] = (0.0, 15.0)
    count: tuple[int, int] = (1, 1)
    megabytes: float = 256.0

    def __post_init__(self) -> None:
        check("Noise.snr", self.snr)
        check("Noise.count", self.count, least=1)
        if not self.megabytes >= 0:
            raise BadInput(f"Noise.megabytes: {self.megabytes} is no size; give 0 or more")

    def check(self) -> None:
        """That `sources` lists something."""
        listed(self.sources, self.kind)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> AddNoise:
        """Which recordings, from where on, how loud."""
        found = listed(self.sources, self.kind)
        chosen = [one_of(found, random) for _ in range(whole(random, self.count))]
        pieces = tuple((source, _start(source, random, samples / sample_rate)) for source in chosen)
        return AddNoise(pieces, uniform(random, self.snr), self.megabytes)


def _start(source: Source, random: np.random.Generator, seconds: float) -> float:
    room = source.seconds - seconds
    return float(random.uniform(0, room if room > 0 else source.seconds))
