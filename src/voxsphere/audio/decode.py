"""Recordings decoded at their own rate: what each holds, and its samples chunk by chunk, wherever it is stored."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.hdf5 import Dataset
from voxsphere.audio.stores import Found, failure, find, holds_features
from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing

_Wave = Float32[np.ndarray, " samples"]

# libsndfile reads these not at all; FFmpeg (PyAV) is asked by extension only, and only for these containers, since
# it would also follow what a playlist in disguise names.
_MEDIA = {".m4a", ".aac", ".mp4", ".m4b", ".mov", ".3gp", ".webm", ".mkv", ".mka", ".amr", ".wma"}
_CONTAINERS = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,aac,matroska,webm,amr,asf"}

_CHUNK = 1 << 18  # samples in memory at a time, a channel

# Decoders that carry state need samples to be decoded and dropped before a segment. MP3 frames borrow bits from a few
# before them. Opus at low rates remembers for seconds: 2 s still leave one segment in five off by 1e-3.
_LEAD_SECONDS = {"MPEG_LAYER_III": 1.0, "OPUS": 30.0}
_UNKNOWN = 1 << 62  # libsndfile gives 2^63 - 1 samples for a stream without a length


@dataclass(frozen=True)
class AudioInfo:
    """What a file's header says: its own `rate` in Hz, channels, seconds, `samples` a channel, and format."""

    rate: int
    channels: int
    seconds: float
    samples: int
    format: str


@dataclass(frozen=True)
class Recording:
    """A recording that is open: what messages call it, what it is, and `chunks(start, count)`.

    These are the samples from `start` on, `count` of them or all (None), at the recording's own rate: the mean of the
    channels, ±1. They raise `BadInput` when the decoder fails, the file ends before its header says, or a sample is
    NaN or infinite.
    """

    name: str
    about: AudioInfo
    chunks: Callable[[int, int | None], Iterator[_Wave]]


@contextmanager
def opened(path: str | Path | Found) -> Iterator[Recording]:
    """The recording at a path or another locator (see `voxsphere.audio.stores`), or of what one led to, opened once.

    Raises `BadInput` for what is not there, is no readable audio, is truncated by its own account, or holds no samples.
    """
    found = path if isinstance(path, Found) else find(path)
    if isinstance(found.content, Path):
        _check_present(found.content)
    try:
        if isinstance(found.content, Dataset):
            yield _stored(found.content)
        elif found.suffix.lower() in _MEDIA:
            yield _media(found)
        else:
            with _sound(found) as file:
                yield _sounding(found, file)
    except BadInput:
        # A store that fails within a decoder looks like the end of the file to it.
        if reason := failure(found.content):
            raise reason from None
        raise


def info(path: str | Path) -> AudioInfo:
    """What the recording at a path or another locator holds, from its header (m4a and the like round to their clock).

    Raises `BadInput` for what is not a readable audio file, is truncated by its own account, or holds no samples.
    """
    with opened(path) as recording:
        return recording.about


def _check_present(path: Path) -> None:
    try:
        about = os.stat(path)
    except OSError:
        about = os.stat(existing(path))
    if stat.S_ISDIR(about.st_mode):
        existing(path)
    if about.st_size == 0:
        raise BadInput(f"{path}: is empty (0 bytes)")
    if not os.access(path, os.R_OK):
        raise BadInput(f"{path}: cannot be read (permission denied)")


def _finite(pieces: Iterator[_Wave], name: str) -> Iterator[_Wave]:
    for piece in pieces:
        if not np.isfinite(piece).all():
            raise BadInput(f"{name}: holds NaN or infinite samples; write it again from its source")
        yield piece


def _stored(data: Dataset) -> Recording:
    rate, samples = data.wave()
    if samples == 0:
        raise BadInput(f"{data.name}: holds no samples")

    def chunks(start: int, count: int | None) -> Iterator[_Wave]:
        stop = samples if count is None else min(samples, start + count)
        for first in range(start, stop, _CHUNK):
            yield data.samples(first, min(stop, first + _CHUNK))

    about = AudioInfo(rate, 1, samples / rate, samples, "HDF5")
    return Recording(data.name, about, lambda start, count: _finite(chunks(start, count), data.name))


def _source(found: Found) -> Path | BinaryIO:
    assert not isinstance(found.content, Dataset)
    if not isinstance(found.content, Path):
        found.content.seek(0)
    return found.content


def _sounding(found: Found, file: Any) -> Recording:
    about = _sound_info(found.name, file)

    def chunks(start: int, count: int | None) -> Iterator[_Wave]:
        return _finite(_sound_chunks(found, file, about.samples, start, count), found.name)

    return Recording(found.name, about, chunks)


def _media(found: Found) -> Recording:
    with _container(found) as (container, stream):
        about = _media_info(found.name, container, stream)

    def chunks(start: int, count: int | None) -> Iterator[_Wave]:
        return _finite(_media_chunks(found, start, count), found.name)

    return Recording(found.name, about, chunks)


@contextmanager
def _sound(found: Found) -> Iterator[Any]:
    import soundfile

    try:
        file = soundfile.SoundFile(_source(found))
    except (soundfile.LibsndfileError, TypeError) as error:
        if holds_features(found):
            raise BadInput(
                f"{found.name}: holds stored features, not sound; a model over the front end Stored takes those"
            ) from error
        # TypeError: an extension that stands for raw samples, whose rate nobody knows.
        reason = getattr(error, "error_string", "it has no header").rstrip(".")
        raise BadInput(f"{found.name}: cannot be read as audio ({reason}); convert it to WAV or FLAC") from error
    with file:
        yield file


def _sound_info(name: str, file: Any) -> AudioInfo:
    samples = int(file.frames)
    if samples == 0:
        raise BadInput(f"{name}: holds no samples")
    if samples >= _UNKNOWN:
        raise BadInput(f"{name}: its header gives no length (it was saved from a stream); convert it once more")
    # libsndfile quietly shortens a WAV or AIFF whose data ends early, but its log tells. Streamed WAVs promise
    # 2 GB or more because their writer could not know.
    promise = re.search(r"^ ?(?:data|SSND) : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    if promise and int(promise[2]) < int(promise[1]) < 0x7FFF0000:
        whole = samples * int(promise[1]) / int(promise[2])
        raise _truncated(name, samples / file.samplerate, whole / file.samplerate)
    return AudioInfo(file.samplerate, file.channels, samples / file.samplerate, samples, file.format)


def _sound_chunks(found: Found, file: Any, samples: int, start: int, count: int | None) -> Iterator[_Wave]:
    import soundfile

    stop = samples if count is None else min(samples, start + count)
    at = max(0, start - round(_LEAD_SECONDS.get(file.subtype, 0.0) * file.samplerate))
    try:
        if at != file.tell():
            file.seek(at)
        if at < start:
            at += len(file.read(start - at, dtype="float32", always_2d=True))
        while at < stop:
            piece = file.read(min(_CHUNK, stop - at), dtype="float32", always_2d=True)
            if len(piece) == 0:
                break
            at += len(piece)
            yield piece[:, 0] if file.channels == 1 else piece.mean(1, dtype=np.float32)
    except soundfile.LibsndfileError as error:
        held = _decodable(found)
        if held < samples:
            raise _truncated(found.name, held / file.samplerate, samples / file.samplerate) from error
        raise BadInput(f"{found.name}: is damaged ({error.error_string.rstrip('.')})") from error
    if at < stop:
        raise _truncated(found.name, _decodable(found) / file.samplerate, samples / file.samplerate)


def _decodable(found: Found) -> int:
    """How many samples, to within a few milliseconds, can be decoded from the start of a damaged file."""
    import soundfile

    held = 0
    with _sound(found) as file:
        try:
            while piece := len(file.read(512, dtype="float32")):
                held += piece
        except soundfile.LibsndfileError:
            return held
    return held


def _truncated(name: str, held: float, whole: float) -> BadInput:
    return BadInput(f"{name}: truncated: holds {held:.2f} s of {whole:.2f} s; copy or download it again")


@contextmanager
def _container(found: Found) -> Iterator[tuple[Any, Any]]:
    try:
        import av
    except ImportError as error:
        raise BadInput(f"{found.name}: {found.suffix} files need PyAV: pip install 'voxsphere[media]'") from error
    source = _source(found)
    try:
        with av.open(str(source) if isinstance(source, Path) else source, options=_CONTAINERS) as container:
            if not container.streams.audio:
                raise BadInput(f"{found.name}: holds no sound")
            yield container, container.streams.audio[0]
    except av.FFmpegError as error:
        raise BadInput(f"{found.name}: cannot be read as audio ({error.strerror})") from error


def _media_info(name: str, container: Any, stream: Any) -> AudioInfo:
    if stream.duration is not None:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        seconds = container.duration / 1_000_000  # FFmpeg's AV_TIME_BASE
    else:
        raise BadInput(f"{name}: its header gives no length; convert it to WAV or FLAC")
    samples = round(seconds * stream.rate)
    if samples == 0:
        raise BadInput(f"{name}: holds no samples")
    return AudioInfo(stream.rate, stream.channels, seconds, samples, container.format.name)


def _media_chunks(found: Found, start: int, count: int | None) -> Iterator[_Wave]:
    # Decoded from the beginning: FFmpeg's seeks land on packets, and a segment must equal its slice of the whole.
    import av

    with _container(found) as (container, stream):
        planar = av.AudioResampler(format="fltp")
        at = 0
        stop = None if count is None else start + count
        for frame in (part for decoded in container.decode(stream) for part in planar.resample(decoded)):
            mono = frame.to_ndarray().mean(0, dtype=np.float32)
            first, last = max(0, start - at), len(mono) if stop is None else min(len(mono), stop - at)
            at += len(mono)
            if first < last:
                yield mono[first:last]
            if stop is not None and at >= stop:
                return
        if at == 0:
            raise BadInput(f"{found.name}: holds no samples")
