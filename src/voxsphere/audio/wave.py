"""Recordings read as mono float waves at the rate asked for, whole, in part or in blocks; and waves written."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.decode import AudioInfo, Recording, info, opened
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic

__all__ = ["AudioInfo", "Recording", "blocks", "info", "opened", "read", "write"]

# Seconds of source read beyond both ends of a segment, so that the resampling filter sees what it would see in the
# whole file (soxr HQ settles within 10 ms at every common pair of rates).
_CONTEXT = 0.05


def read(
    path: str | Path | Recording, *, rate: int, start: float | None = None, duration: float | None = None
) -> Float32[np.ndarray, " samples"]:
    """The wave of a recording: the mean of its channels, ±1, resampled to `rate` Hz (soxr HQ).

    `path` is a file, any other locator (see `voxsphere.audio.stores`: archives, shards, HDF5, addresses), or what
    `opened` gave, for who looks at a recording first and then reads it.

    `start` and `duration` are seconds; `duration` is a limit, a file may end sooner. A segment is found by seeking
    and equals the same slice of the whole file: bit for bit where nothing is resampled, within 1e-6 where something
    is. Two decoders cannot seek so well: MP3 is within 1e-6 always; Opus is exact in a file's first 30 s and may be
    off by 3e-3 after them. Raises `BadInput`, naming the file, for one that is missing, empty, damaged, truncated,
    not audio, or holds NaN or infinite samples, and for a segment outside it.
    """
    with _open(path) as recording:
        about = recording.about
        span = _Span.of(recording, rate, start, duration)
        pieces = list(recording.chunks(span.begin, span.count))
    wave = _resample(np.concatenate(pieces), about.rate, rate)[span.drop :][: span.keep] if pieces else np.zeros(0)
    if len(wave) == 0:
        raise BadInput(f"{recording.name}: holds no sample at {rate} Hz in the segment asked for")
    return wave


def blocks(
    path: str | Path | Recording,
    *,
    rate: int,
    seconds: float,
    start: float | None = None,
    duration: float | None = None,
) -> Iterator[Float32[np.ndarray, " samples"]]:
    """The wave that `read` gives, sample for sample, in consecutive blocks of `seconds`; the last may be shorter.

    Memory holds about one block, however long the file. Raises `BadInput` as `read` does, at the block where the
    trouble lies.
    """
    size = round(seconds * rate)
    if size < 1:
        raise BadInput(f"blocks of {seconds} s hold no sample at {rate} Hz; give a longer time")
    with _open(path) as recording:
        span = _Span.of(recording, rate, start, duration)
        pieces = _resampled(recording.chunks(span.begin, span.count), recording.about.rate, rate)
        yield from _in_blocks(_trimmed(pieces, span), size)


def _in_blocks(
    pieces: Iterator[Float32[np.ndarray, " samples"]], size: int
) -> Iterator[Float32[np.ndarray, " samples"]]:
    held: list[Float32[np.ndarray, " samples"]] = []
    amount = 0
    for piece in pieces:
        held.append(piece)
        amount += len(piece)
        if amount >= size:
            joined = np.concatenate(held)
            whole = amount // size * size
            yield from (joined[first : first + size].copy() for first in range(0, whole, size))
            held, amount = [joined[whole:].copy()], amount - whole
    if amount:
        yield np.concatenate(held)


def write(path: str | Path, wave: Float32[np.ndarray, " samples"], rate: int) -> None:
    """Write a mono wave (±1, clipped beyond) as 16-bit WAV or FLAC, by the path's extension, atomically."""
    import soundfile

    path = Path(path)
    form = path.suffix.lower().removeprefix(".")
    if form not in ("wav", "flac"):
        raise BadInput(f"{path}: cannot write this kind of file; name it .wav or .flac")
    if not np.isfinite(wave).all():
        raise BadInput(f"{path}: not written, the wave holds NaN or infinite samples")
    # Scaled here, as the reader divides by 32768 and libsndfile would multiply by 32767.
    steps = np.clip(np.round(np.asarray(wave, np.float64) * 32768), -32768, 32767).astype(np.int16)
    with atomic(path, "wb") as file:
        soundfile.write(file, steps, rate, format=form.upper(), subtype="PCM_16")


@dataclass(frozen=True)
class _Span:
    """A segment in source samples to read, and in resampled samples to drop at the front and to keep."""

    begin: int
    count: int | None
    drop: int
    keep: int | None

    @staticmethod
    def of(recording: Recording, rate: int, start: float | None, duration: float | None) -> "_Span":
        about, path = recording.about, recording.name
        begin = start or 0.0
        if not (math.isfinite(begin) and begin >= 0):
            raise BadInput(f"{path}: a segment cannot start at {begin} s; give 0 or more")
        if duration is not None and not (math.isfinite(duration) and duration > 0):
            raise BadInput(f"{path}: a segment cannot last {duration} s; give more than 0")
        if round(begin * about.rate) >= about.samples:
            raise BadInput(f"{path}: the segment starts at {begin:g} s, but the file ends at {about.seconds:.3f} s")
        first = round(begin * rate)
        keep = None if duration is None else max(1, round(duration * rate))
        if rate == about.rate:
            return _Span(first, keep, 0, keep)
        # Begin where a source sample and an output sample fall on one instant, or the grid would shift.
        down, up = about.rate // math.gcd(about.rate, rate), rate // math.gcd(about.rate, rate)
        context = math.ceil(_CONTEXT * about.rate)
        grid = max(0, first * down // up - context) // down
        end = None if keep is None else math.ceil((first + keep) * down / up) + context
        return _Span(grid * down, None if end is None else end - grid * down, first - grid * up, keep)


def _open(path: str | Path | Recording) -> AbstractContextManager[Recording]:
    return nullcontext(path) if isinstance(path, Recording) else opened(path)


def _resample(source: Float32[np.ndarray, " samples"], rate: int, to: int) -> Float32[np.ndarray, " resampled"]:
    if rate == to:
        return source
    import soxr

    resampled: Float32[np.ndarray, " resampled"] = soxr.resample(source, rate, to, quality="HQ")
    return resampled


def _resampled(
    pieces: Iterator[Float32[np.ndarray, " samples"]], rate: int, to: int
) -> Iterator[Float32[np.ndarray, " resampled"]]:
    if rate == to:
        yield from pieces
        return
    import soxr

    stream = soxr.ResampleStream(rate, to, 1, dtype="float32", quality="HQ")
    for piece in pieces:
        yield stream.resample_chunk(piece)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _trimmed(
    pieces: Iterator[Float32[np.ndarray, " samples"]], span: _Span
) -> Iterator[Float32[np.ndarray, " samples"]]:
    passed = 0
    stop = math.inf if span.keep is None else span.drop + span.keep
    for piece in pieces:
        first, last = max(0, span.drop - passed), int(min(len(piece), stop - passed))
        passed += len(piece)
        if first < last:
            yield piece[first:last]
        if passed >= stop:
            return
