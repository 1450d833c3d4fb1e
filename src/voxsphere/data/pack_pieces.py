"""One recording as it goes into a pack: which it is, its key there, its samples and its bytes."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.decode import Recording, opened
from voxsphere.audio.stores import Found, find
from voxsphere.audio.wave import read
from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing
from voxsphere.core.manifest import Manifest, Utterance

Encoding = Literal["as-is", "flac", "opus"]

_AUDIO = re.compile(r"\.(wav|flac|mp3|m4a|aac|ogg|opus|sph|aiff?|mp4|webm|amr)$", re.IGNORECASE)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)  # the only ones the codec knows
_SUFFIXES = {"WAVEX": ".wav", "NIST": ".sph"}  # of libsndfile's names that differ from the usual ones


@dataclass(frozen=True)
class Piece:
    """A recording or a part of one, and the utterances it stands for: several where speeds count as speakers."""

    speaker: str
    key: str
    utterances: tuple[Utterance, ...] = field(repr=False)

    @property
    def first(self) -> Utterance:
        """The utterance whose name and columns the pack holds."""
        return self.utterances[0]


@dataclass(frozen=True)
class Encoded:
    """A recording's file as bytes, with what it holds."""

    suffix: str
    content: bytes
    rate: int
    samples: int


def pieces_of(manifest: Manifest) -> tuple[Piece, ...]:
    """The recordings of a manifest, each once, with keys that fit tar members, HDF5 and WebDataset (no dot, no slash).

    The key is the id, simplified; where two fall together, the later one is numbered.
    """
    shared: dict[tuple[str, float | None, float | None], list[Utterance]] = {}
    for utterance in manifest:
        part = utterance.duration if utterance.start is not None else None
        shared.setdefault((utterance.path, utterance.start, part), []).append(utterance)
    keys: set[str] = set()
    pieces = []
    for utterances in shared.values():
        first = utterances[0]
        key = base = _simple(_AUDIO.sub("", first.id))
        number = 1
        while key in keys:
            number += 1
            key = f"{base}-{number}"
        keys.add(key)
        pieces.append(Piece(_simple(first.speaker), key, tuple(utterances)))
    return tuple(pieces)


def samples_of(utterance: Utterance) -> tuple[Float32[np.ndarray, " samples"], int]:
    """The utterance's samples, undone by nothing but the mean of channels, and their rate in Hz."""
    with opened(utterance.path) as recording:
        return _wave(recording, utterance, recording.about.rate), recording.about.rate


def encoded(utterance: Utterance, encoding: Encoding) -> Encoded:
    """The utterance as a file's bytes. Raises `BadInput` for what cannot be decoded to its end."""
    found = find(utterance.path)
    if isinstance(found.content, Path):
        found = Found(found.name, found.suffix, io.BytesIO(existing(found.content).read_bytes()))
    with opened(found) as recording:
        about = recording.about
        if encoding == "as-is" and utterance.start is None and isinstance(found.content, io.IOBase):
            samples = sum(len(piece) for piece in recording.chunks(0, None))
            found.content.seek(0)
            suffix = found.suffix.lower() or _SUFFIXES.get(about.format, f".{about.format.lower()}")
            return Encoded(suffix, found.content.read(), about.rate, samples)
        if encoding == "opus":
            rate = next((rate for rate in _OPUS_RATES if rate >= about.rate), _OPUS_RATES[-1])
            wave = _wave(recording, utterance, rate)
            return Encoded(".opus", _written(wave, rate, "OGG", "OPUS"), rate, len(wave))
        wave = _wave(recording, utterance, about.rate)
    steps = as_int16(wave)
    if steps is None and encoding == "as-is":
        return Encoded(".wav", _written(wave, about.rate, "WAV", "FLOAT"), about.rate, len(wave))
    if steps is None:
        steps = rounded(wave)
    return Encoded(".flac", _written(steps, about.rate, "FLAC", "PCM_16"), about.rate, len(wave))


def as_int16(wave: Float32[np.ndarray, " samples"]) -> np.ndarray | None:
    """The wave in steps of 1/32768 where it holds nothing else, else None."""
    steps = rounded(wave)
    return steps if np.array_equal(steps / np.float32(32768), wave) else None


def rounded(wave: Float32[np.ndarray, " samples"]) -> np.ndarray:
    """The wave in steps of 1/32768, clipped to ±1."""
    return np.clip(np.rint(wave * np.float32(32768)), -32768, 32767).astype(np.int16)


def _simple(name: str) -> str:
    return re.sub(r"[^\w@+-]+", "-", name).strip("-") or "-"


def _wave(recording: Recording, utterance: Utterance, rate: int) -> Float32[np.ndarray, " samples"]:
    duration = utterance.duration if utterance.start is not None else None
    return read(recording, rate=rate, start=utterance.start, duration=duration)


def _written(wave: np.ndarray, rate: int, form: str, subtype: str) -> bytes:
    import soundfile

    file = io.BytesIO()
    try:
        with soundfile.SoundFile(file, "w", rate, 1, subtype, format=form) as sound:
            for block in _blocks(wave, rate):
                sound.write(block)
    except soundfile.LibsndfileError as error:
        raise BadInput(f"cannot be written as {form} at {rate} Hz ({error.error_string.rstrip('.')})") from error
    return file.getvalue()


def _blocks(wave: np.ndarray, rate: int) -> Iterator[np.ndarray]:
    # libsndfile's Ogg encoders put a whole write on the stack.
    yield from (wave[first : first + rate] for first in range(0, len(wave), rate))
