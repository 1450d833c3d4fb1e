"""Reverberation in simulated rooms: early reflections by image sources, the rest as decaying noise."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from voxsphere.audio.augment.between import check, uniform
from voxsphere.audio.augment.convolve import convolved, prepared
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream

Metres = tuple[float, float, float]

_SOUND = 343.0  # metres a second
_EARLY = 0.05  # seconds after the direct sound in which reflections are told apart
_MATCHED = 0.015  # seconds before that end whose power the noise continues
_RUMBLE = 100.0  # Hz
_REACH = 40  # samples to both sides over which an arrival between two samples is spread
_WALL = 0.5  # metres that speaker and microphone keep from walls
_APART = 0.3  # metres that they keep from each other


def early_response(
    size: Metres, reflection: float, source: Metres, microphone: Metres, seconds: float, sample_rate: int
) -> Float64[np.ndarray, " taps"]:
    """What a box answers within `seconds`, by image sources (Allen & Berkley 1979, eq. 10).

    `reflection` is the walls' pressure reflection coefficient, for all six and every frequency. An arrival between two
    samples is a sinc under a Hann window, 40 samples to both sides (Peterson 1986): tap 40 is time 0.
    """
    reach = seconds * _SOUND
    axes = [_images(*axis, reach) for axis in zip(size, source, microphone, strict=True)]
    squares, bounces = ([axis[part] for axis in axes] for part in (0, 1))
    square = squares[0][:, None, None] + squares[1][:, None] + squares[2]
    near = square < reach**2
    bounce = (bounces[0][:, None, None] + bounces[1][:, None] + bounces[2])[near]
    distance = np.sqrt(square[near])
    amplitude = reflection**bounce / (4 * math.pi * distance)
    return _arrivals(amplitude, distance / _SOUND * sample_rate, math.ceil(seconds * sample_rate))


def response(
    size: Metres, rt60: float, source: Metres, microphone: Metres, seed: int, sample_rate: int
) -> Float64[np.ndarray, " taps"]:
    """A room's impulse response until it has died away by 60 dB, `rt60` seconds after the direct sound.

    Reflections of the first 50 ms by image sources above 100 Hz, the walls' absorption by Eyring's formula; then
    Gaussian noise that goes on at their power and decays by `rt60` (the diffuse model of Lehmann & Johansson 2010).
    """
    volume = math.prod(size)
    surface = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    # Eyring: rt60 = 24 ln 10 V / (−c S ln(1 − α)), and the pressure reflection is the root of 1 − α.
    reflection = math.exp(-12 * math.log(10) * volume / (_SOUND * surface * rt60))
    direct = math.dist(source, microphone) / _SOUND
    early = direct + min(_EARLY, rt60)
    begin = early_response(size, reflection, source, microphone, early, sample_rate)
    change = _REACH + round(early * sample_rate)
    taps = _REACH + math.ceil((direct + rt60) * sample_rate)
    whole = np.zeros(max(taps, len(begin)))
    whole[: len(begin)] = _without_rumble(begin, sample_rate)
    matched = np.arange(change - round(_MATCHED * sample_rate), change)
    decay = 10 ** (-3 * (matched - change) / (rt60 * sample_rate))
    level = math.sqrt(float(np.mean((whole[matched] / decay) ** 2)))
    time = np.arange(max(0, taps - change)) / (rt60 * sample_rate)
    whole[change:taps] += level * 10 ** (-3 * time) * stream("diffuse", seed).standard_normal(len(time))
    return whole


def _without_rumble(taps: Float64[np.ndarray, " taps"], sample_rate: int) -> Float64[np.ndarray, " taps"]:
    """The response above 100 Hz: reflections are all positive, so where they come thick they add up to a swell.

    Allen & Berkley (1979) filter for the same reason; in small rooms the swell would hold most of the power.
    """
    import scipy.signal

    sections = scipy.signal.butter(2, _RUMBLE, "highpass", fs=sample_rate, output="sos")
    return np.asarray(scipy.signal.sosfilt(sections, taps))


def _images(
    length: float, source: float, microphone: float, reach: float
) -> tuple[Float64[np.ndarray, " images"], Float64[np.ndarray, " images"]]:
    """Along one axis: the images' squared distances from the microphone, and how often each was reflected."""
    most = math.ceil(reach / (2 * length)) + 1
    cell = np.arange(-most, most + 1)
    place = np.concatenate([2 * cell * length + source, 2 * cell * length - source])
    bounces = np.concatenate([np.abs(2 * cell), np.abs(2 * cell - 1)])
    return (place - microphone) ** 2, bounces.astype(np.float64)


def _arrivals(
    amplitude: Float64[np.ndarray, " images"], delay: Float64[np.ndarray, " images"], samples: int
) -> Float64[np.ndarray, " taps"]:
    """Impulses at fractional `delay`s in samples, the first of the taps 40 samples before time 0."""
    first = np.floor(delay).astype(np.int64)
    offset = np.arange(-_REACH, _REACH + 1)
    apart = offset - (delay - first)[:, None]
    pulses = amplitude[:, None] * np.sinc(apart) * (0.5 + 0.5 * np.cos(np.pi / (_REACH + 1) * apart))
    taps = first[:, None] + offset + _REACH
    found: Float64[np.ndarray, " taps"] = np.bincount(taps.ravel(), pulses.ravel(), samples + 2 * _REACH + 1)
    return found


@dataclass(frozen=True)
class PlayInRoom:
    """The wave as heard in a box-shaped room, at the level of a response of unit energy; speech is not delayed.

    Lengths and places are metres, `rt60` seconds; `seed` is that of the late reverberation.
    """

    size: Metres
    rt60: float
    source: Metres
    microphone: Metres
    seed: int

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples"]:
        taps = response(self.size, self.rt60, self.source, self.microphone, self.seed, sample_rate)
        direct = _REACH + round(math.dist(self.source, self.microphone) / _SOUND * sample_rate)
        return convolved(wave, prepared(taps.astype(np.float32), direct))


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room simulated anew: its size between `smallest` and `largest` (metres), its `rt60` (seconds), two places.

    Every figure is drawn evenly; speaker and microphone keep 0.5 m from walls and 0.3 m from each other.
    """

    smallest: Metres = (3.0, 3.0, 2.3)
    largest: Metres = (10.0, 8.0, 4.0)
    rt60: tuple[float, float] = (0.1, 0.8)

    def __post_init__(self) -> None:
        if len(self.smallest) != 3 or len(self.largest) != 3:
            raise BadInput(f"Room: from {self.smallest} to {self.largest} are not two sizes of three lengths")
        for limits in zip(self.smallest, self.largest, strict=True):
            check("Room's smallest and largest", limits, least=2, most=15)
        check("Room.rt60", self.rt60, least=0.02, most=5)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> PlayInRoom:
        """A room, and who stands where."""
        x, y, z = (uniform(random, limits) for limits in zip(self.smallest, self.largest, strict=True))
        source = microphone = (0.0, 0.0, 0.0)
        while math.dist(source, microphone) < _APART:
            source, microphone = _place(random, (x, y, z)), _place(random, (x, y, z))
        return PlayInRoom((x, y, z), uniform(random, self.rt60), source, microphone, int(random.integers(2**63)))


def _place(random: np.random.Generator, size: Metres) -> Metres:
    x, y, z = (uniform(random, (_WALL, length - _WALL)) for length in size)
    return x, y, z
