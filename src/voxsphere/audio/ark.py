"""Kaldi archives: the wave or the feature matrix that begins at a byte of one."""

import struct
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.ranges import Ranges, stream
from voxsphere.core.errors import BadInput

MATRIX = b"\0B"
"""How a binary matrix begins."""

# Marks by which kaldiio wraps files of other forms: then how many bytes tell the length, and the length.
_MEASURED = (b"AUDIO", b"NPY")
_NUMBERS: dict[bytes, np.dtype[Any]] = {b"FM": np.dtype("<f4"), b"DM": np.dtype("<f8")}
_COMPRESSED: dict[bytes, np.dtype[Any]] = {b"CM": np.dtype("u1"), b"CM2": np.dtype("<u2"), b"CM3": np.dtype("u1")}


def open_entry(source: Ranges, offset: int, name: str) -> BinaryIO:
    """The entry at byte `offset`: a wave or a matrix, as a file. `name` is what messages call it."""
    head = source.read(offset, offset + 16)
    if len(head) < 14:  # a vector of one number
        raise BadInput(f"{name}: the archive ends before (it has {source.size} bytes); copy it again, or its index")
    if head.startswith(b"RIFF"):
        # Writers to a pipe know no length and promise the most that fits.
        length = 8 + int.from_bytes(head[4:8], "little")
        return stream(source, offset, min(source.size, offset + length))
    for mark in _MEASURED:
        if head.startswith(mark):
            width = head[len(mark)]
            first = offset + len(mark) + 1 + width
            length = int.from_bytes(head[len(mark) + 1 : len(mark) + 1 + width], "little")
            return stream(source, first, min(source.size, first + length))
    if head.startswith((MATRIX, b"fLaC")):
        return stream(source, offset, source.size)
    raise BadInput(f"{name}: neither a wave nor a binary matrix begins there; the number is a byte of the archive")


def read_matrix(file: BinaryIO, start: int, stop: int | None, name: str) -> Float32[np.ndarray, "frames dim"]:
    """The rows from `start` to `stop` of the binary matrix that `file` begins with, plain or compressed.

    Compression as in Kaldi's compressed-matrix.cc: 16-bit or 8-bit steps between a matrix's extremes, or 8-bit steps
    between the quartiles of each column.
    """
    kind = file.read(6)[2:].split(b" ")[0]
    if kind in _NUMBERS:
        file.seek(2 + len(kind) + 1)
        _, rows, _, columns = struct.unpack("<bibi", _exactly(file, 10, name))
        width = _NUMBERS[kind].itemsize * columns
        first, last = _rows(rows, start, stop)
        file.seek(first * width, 1)
        data = _exactly(file, (last - first) * width, name)
        return np.frombuffer(data, _NUMBERS[kind]).reshape(last - first, columns).astype(np.float32)
    if kind not in _COMPRESSED:
        raise BadInput(f"{name}: is no feature matrix (its mark is {kind.decode(errors='replace')!r})")
    file.seek(2 + len(kind) + 1)
    least, span, rows, columns = struct.unpack("<ffii", _exactly(file, 16, name))
    first, last = _rows(rows, start, stop)
    if kind == b"CM":
        return _between_quartiles(file, least, span, (rows, columns), (first, last), name)
    width = _COMPRESSED[kind].itemsize * columns
    file.seek(first * width, 1)
    steps = np.frombuffer(_exactly(file, (last - first) * width, name), _COMPRESSED[kind]).reshape(
        last - first, columns
    )
    most = 65535 if kind == b"CM2" else 255
    return np.float32(least) + steps.astype(np.float32) * np.float32(span / most)


def read_vector(file: BinaryIO, name: str) -> Float32[np.ndarray, " frames"]:
    """The binary vector that `file` begins with, such as a decision a frame on where there is speech."""
    kind = file.read(5)[2:]
    if kind not in (b"FV ", b"DV "):
        raise BadInput(f"{name}: is no vector (its mark is {kind.decode(errors='replace')!r})")
    _, size = struct.unpack("<bi", _exactly(file, 5, name))
    number = np.dtype("<f4") if kind == b"FV " else np.dtype("<f8")
    return np.frombuffer(_exactly(file, size * number.itemsize, name), number).astype(np.float32)


def _between_quartiles(
    file: BinaryIO, least: float, span: float, shape: tuple[int, int], part: tuple[int, int], name: str
) -> Float32[np.ndarray, "frames dim"]:
    rows, columns = shape
    edges = np.frombuffer(_exactly(file, 8 * columns, name), "<u2").reshape(columns, 4).T.astype(np.float32)
    p0, p25, p75, p100 = np.float32(least) + edges * np.float32(span / 65535)
    # Columns lie one after the other.
    steps = np.frombuffer(_exactly(file, rows * columns, name), np.uint8).reshape(columns, rows)
    value = steps[:, part[0] : part[1]].T.astype(np.float32)
    low = p0 + (p25 - p0) * value * np.float32(1 / 64)
    middle = p25 + (p75 - p25) * (value - 64) * np.float32(1 / 128)
    high = p75 + (p100 - p75) * (value - 192) * np.float32(1 / 63)
    decoded: Float32[np.ndarray, "frames dim"] = np.where(value <= 64, low, np.where(value <= 192, middle, high))
    return decoded


def _rows(rows: int, start: int, stop: int | None) -> tuple[int, int]:
    return min(start, rows), rows if stop is None else min(stop, rows)


def _exactly(file: BinaryIO, count: int, name: str) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise BadInput(f"{name}: the archive is truncated inside this matrix; copy it again")
    return data
