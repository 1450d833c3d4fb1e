"""Audio files decoded at their own rate: what a file is, and its samples chunk by chunk."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing

# libsndfile reads these not at all; FFmpeg (PyAV) is asked by extension only, and only for these containers, since
# it would also follow what a playlist in disguise names.
_MEDIA = {".m4a", ".aac", ".mp4", ".m4b", ".mov", ".3gp", ".webm", ".mkv", ".mka", ".amr", ".wma"}
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,aac,matroska,webm,amr,asf"

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


def info(path: str | Path) -> AudioInfo:
    """What the file at `path` holds, from its header (containers such as m4a round to their own clock).

    Raises `BadInput` for what is not a readable audio file, is truncated by its own account, or holds no samples.
    """
    path = _present(path)
    if _is_media(path):
        with _container(path) as (container, stream):
            return _media_info(path, container, stream)
    with _sound(path) as file:
        return _sound_info(path, file)


def chunks(path: str | Path, *, start: int = 0, count: int | None = None) -> Iterator[Float32[np.ndarray, " samples"]]:
    """The samples from `start` on, `count` of them or all, at the file's own rate: the mean of the channels, ±1.

    Raises `BadInput` when the decoder fails, the file ends before its header says, or a sample is NaN or infinite.
    """
    path = _present(path)
    for piece in _media_chunks(path, start, count) if _is_media(path) else _sound_chunks(path, start, count):
        if not np.isfinite(piece).all():
            raise BadInput(f"{path}: holds NaN or infinite samples; write it again from its source")
        yield piece


def _present(path: str | Path) -> Path:
    path = existing(path)
    if path.stat().st_size == 0:
        raise BadInput(f"{path}: is empty (0 bytes)")
    if not os.access(path, os.R_OK):
        raise BadInput(f"{path}: cannot be read (permission denied)")
    return path


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in _MEDIA


@contextmanager
def _sound(path: Path) -> Iterator[Any]:
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError) as error:
        # TypeError: an extension that stands for raw samples, whose rate nobody knows.
        reason = getattr(error, "error_string", "it has no header").rstrip(".")
        raise BadInput(f"{path}: cannot be read as audio ({reason}); convert it to WAV or FLAC") from error
    with file:
        yield file


def _sound_info(path: Path, file: Any) -> AudioInfo:
    samples = int(file.frames)
    if samples == 0:
        raise BadInput(f"{path}: holds no samples")
    if samples >= _UNKNOWN:
        raise BadInput(f"{path}: its header gives no length (it was saved from a stream); convert it once more")
    # libsndfile quietly shortens a WAV or AIFF whose data ends early, but its log tells. Streamed WAVs promise
    # 2 GB or more because their writer could not know.
    promise = re.search(r"^ ?(?:data|SSND) : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    if promise and int(promise[2]) < int(promise[1]) < 0x7FFF0000:
        whole = samples * int(promise[1]) / int(promise[2])
        raise _truncated(path, samples / file.samplerate, whole / file.samplerate)
    return AudioInfo(file.samplerate, file.channels, samples / file.samplerate, samples, file.format)


def _sound_chunks(path: Path, start: int, count: int | None) -> Iterator[Float32[np.ndarray, " samples"]]:
    import soundfile

    with _sound(path) as file:
        samples = _sound_info(path, file).samples
        stop = samples if count is None else min(samples, start + count)
        at = max(0, start - round(_LEAD_SECONDS.get(file.subtype, 0.0) * file.samplerate))
        try:
            if at:
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
            held = _decodable(path)
            if held < samples:
                raise _truncated(path, held / file.samplerate, samples / file.samplerate) from error
            raise BadInput(f"{path}: is damaged ({error.error_string.rstrip('.')})") from error
        if at < stop:
            raise _truncated(path, _decodable(path) / file.samplerate, samples / file.samplerate)


def _decodable(path: Path) -> int:
    """How many samples, to within a few milliseconds, can be decoded from the start of a damaged file."""
    import soundfile

    held = 0
    with _sound(path) as file:
        try:
            while piece := len(file.read(512, dtype="float32")):
                held += piece
        except soundfile.LibsndfileError:
            return held
    return held


def _truncated(path: Path, held: float, whole: float) -> BadInput:
    return BadInput(f"{path}: truncated: holds {held:.2f} s of {whole:.2f} s; copy or download it again")


@contextmanager
def _container(path: Path) -> Iterator[tuple[Any, Any]]:
    try:
        import av
    except ImportError as error:
        raise BadInput(f"{path}: {path.suffix} files need PyAV: pip install 'voxsphere[media]'") from error
    try:
        with av.open(str(path), options={"format_whitelist": _CONTAINERS}) as container:
            if not container.streams.audio:
                raise BadInput(f"{path}: holds no sound")
            yield container, container.streams.audio[0]
    except av.FFmpegError as error:
        raise BadInput(f"{path}: cannot be read as audio ({error.strerror})") from error


def _media_info(path: Path, container: Any, stream: Any) -> AudioInfo:
    if stream.duration is not None:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        seconds = container.duration / 1_000_000  # FFmpeg's AV_TIME_BASE
    else:
        raise BadInput(f"{path}: its header gives no length; convert it to WAV or FLAC")
    samples = round(seconds * stream.rate)
    if samples == 0:
        raise BadInput(f"{path}: holds no samples")
    return AudioInfo(stream.rate, stream.channels, seconds, samples, container.format.name)


def _media_chunks(path: Path, start: int, count: int | None) -> Iterator[Float32[np.ndarray, " samples"]]:
    # Decoded from the beginning: FFmpeg's seeks land on packets, and a segment must equal its slice of the whole.
    import av

    with _container(path) as (container, stream):
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
            raise BadInput(f"{path}: holds no samples")
