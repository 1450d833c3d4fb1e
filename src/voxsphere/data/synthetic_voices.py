"""Synthetic speakers drawn from a population, each heard in sessions that colour them."""

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy.fft
import scipy.signal
from jaxtyping import Float32, Float64

from voxsphere.audio.espeak import ACCENTS, Voice

FORMANTS = 9
_SEXES = {"m": (115.0, 0.96), "f": (200.0, 1.10)}  # median pitch in Hz, and the factor of the resonances
_OCTAVES = 62.5 * 2.0 ** np.arange(8)


@dataclass(frozen=True, kw_only=True)
class Difficulty:
    """What makes the task hard: how alike the voices are, and how far a speaker's recordings lie apart.

    `spread` multiplies the deviations of the speakers' voices from their sex's average (0: all alike). `mood`
    multiplies how far a speaker's pitch, rate and effort wander between sessions and utterances. `colour` is the
    standard deviation of a session's microphone response in dB, an octave at a time. `reverberation` is the range of
    its room's RT60 in seconds, `snr` that of its noise in dB below the speech.
    """

    spread: float = 1.0
    mood: float = 1.0
    colour: float = 3.0
    reverberation: tuple[float, float] = (0.1, 0.5)
    snr: tuple[float, float] = (10.0, 30.0)


@dataclass(frozen=True)
class Session:
    """A recording session: the voice of that day, a microphone, a room, a noise.

    `response` is the microphone's in dB at the octaves from 62.5 Hz to 8 kHz, `room` an impulse response at the
    corpus' rate, `slope` the noise's spectrum in dB an octave, `snr` its distance from the speech in dB, `level` the
    recording's RMS in dB of full scale.
    """

    voice: Voice
    response: Float64[np.ndarray, " octaves"]
    room: Float64[np.ndarray, " taps"]
    slope: float
    snr: float
    level: float


def draw_voice(random: np.random.Generator, gender: str, *, spread: float = 1.0) -> Voice:
    """A speaker of a gender ("m" or "f")."""
    average, tract = _SEXES[gender]
    accent = ACCENTS[random.integers(len(ACCENTS))]
    deviate = spread * random.normal(size=6)
    pitch = float(np.clip(average * math.exp(0.14 * deviate[0]), 70, 320))
    formants = spread * random.normal(size=(FORMANTS, 3)) * (0.06, 0.3, 0.2)
    return Voice(
        accent=accent,
        pitch=pitch,
        span=float(0.35 * pitch * math.exp(0.3 * np.clip(deviate[1], -2, 2))),
        rate=float(np.clip(175 + 15 * deviate[2], 150, 210)),
        tract=float(np.clip(tract * math.exp(0.05 * deviate[3]), 0.75, 1.35)),
        formants=tuple((float(f), float(s), float(w)) for f, s, w in np.exp(np.clip(formants, -0.7, 0.7))),
        tilt=float(np.clip(-1 + 2 * deviate[4], -8, 4)),
        breath=float(np.clip(4 + 6 * deviate[5], 0, 25)),
    )


def draw_session(random: np.random.Generator, voice: Voice, difficulty: Difficulty, *, rate: int) -> Session:
    """A session of a speaker."""
    rt60 = random.uniform(*difficulty.reverberation)
    time = np.arange(1, max(2, round(rt60 * rate))) / rate
    # A diffuse tail falls by 60 dB in RT60; the direct sound is 3 to 12 dB above the sum of it.
    tail = random.normal(size=len(time)) * 10 ** (-3 * time / rt60)
    tail *= 10 ** (-random.uniform(3, 12) / 20) / np.sqrt(np.sum(tail**2))
    return Session(
        voice=_mood(random, voice, difficulty.mood),
        response=difficulty.colour * random.normal(size=len(_OCTAVES)),
        room=np.concatenate([[1.0], tail]),
        slope=random.uniform(-6, 0),
        snr=random.uniform(*difficulty.snr),
        level=random.uniform(-32, -20),
    )


def draw_utterance(random: np.random.Generator, voice: Voice, difficulty: Difficulty) -> Voice:
    """A session's voice as it is in one utterance: half as far from it as it is from the speaker's."""
    return _mood(random, voice, difficulty.mood / 2)


def record(
    wave: Float32[np.ndarray, " samples"], session: Session, random: np.random.Generator, *, rate: int
) -> Float32[np.ndarray, " samples"]:
    """What the session's microphone makes of a wave: room, noise, response, level. As long as the wave."""
    heard = scipy.signal.oaconvolve(wave.astype(np.float64), session.room)[: len(wave)]
    noise = _shaped(random.normal(size=len(wave)), session.slope * np.arange(len(_OCTAVES)), rate)
    noise *= 10 ** (-session.snr / 20) * _rms(heard) / _rms(noise)
    coloured = _shaped(heard + noise, session.response, rate)
    loudness = 10 ** (session.level / 20) / _rms(coloured)
    recorded: Float32[np.ndarray, " samples"] = coloured * min(loudness, 0.99 / np.abs(coloured).max())
    return recorded.astype(np.float32)


def _shaped(
    wave: Float64[np.ndarray, " samples"], decibels: Float64[np.ndarray, " octaves"], rate: int
) -> Float64[np.ndarray, " samples"]:
    """The wave with gains in dB at the octaves, straight lines between them, and no delay."""
    # Room for the filter to ring at both ends, and a length the transform is quick with.
    size = scipy.fft.next_fast_len(len(wave) + rate // 8, real=True)
    octave = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / rate), _OCTAVES[0]) / _OCTAVES[0])
    gain = 10 ** (np.interp(octave, np.arange(len(_OCTAVES)), decibels) / 20)
    shaped: Float64[np.ndarray, " samples"] = scipy.fft.irfft(scipy.fft.rfft(wave, size) * gain, size)[: len(wave)]
    return shaped


def _mood(random: np.random.Generator, voice: Voice, size: float) -> Voice:
    pitch, span, pace, effort = size * random.normal(size=4) * (0.06, 0.15, 0.05, 1.0)
    hertz = float(np.clip(voice.pitch * math.exp(pitch), 60, 360))
    return replace(
        voice,
        pitch=hertz,
        span=float(min(voice.span * math.exp(span), 0.9 * hertz)),
        rate=float(np.clip(voice.rate * math.exp(pace), 140, 225)),
        tilt=float(np.clip(voice.tilt + effort, -10, 5)),
    )


def _rms(wave: Float64[np.ndarray, " samples"]) -> float:
    return float(np.sqrt(np.mean(wave**2)))
