"""UPC's feature files (fmatrix): two whole numbers, then the rows of a matrix of float32, one row a frame."""

import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, existing

SUFFIXES = (".mcp", ".lpc", ".lpcc", ".mfcc", ".fmatrix")
"""What such files are called, for what is in them: they say nothing of themselves, neither by a mark nor by units."""

_NAMED = re.compile(rf"({'|'.join(map(re.escape, SUFFIXES))})(@\d+\+\d+)?", re.IGNORECASE)
_HEADER = struct.Struct("<ii")
_MOST = 2**31 - 1


def is_named(name: str) -> bool:
    """Whether a file, or a member of a tar with its place (`a.mcp@1536+48212`), is called as these files are."""
    base = name.rpartition("/")[2]
    return (dot := base.rfind(".")) >= 0 and _NAMED.fullmatch(base, dot) is not None


def shape_of(path: str | Path) -> tuple[int, int]:
    """The rows and columns that such a file's header tells; `BadInput` where it has none."""
    with existing(path).open("rb") as file:
        return _header(file.read(_HEADER.size), str(path), os.fstat(file.fileno()).st_size)


def read_rows(file: BinaryIO, start: int, stop: int | None, name: str) -> Float[np.ndarray, "frames dim"]:
    """The rows from `start` to `stop`, in float32; nothing else of the file is read. `name` is what messages call it.

    A file has 8 + 4 · rows · columns bytes, little endian: int32 rows, int32 columns, then float32 row by row.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    rows, columns = _header(file.read(_HEADER.size), name, size)
    last = rows if stop is None else min(stop, rows)
    first = min(start, last)
    file.seek(_HEADER.size + 4 * first * columns)
    data = file.read(4 * (last - first) * columns)
    if len(data) < 4 * (last - first) * columns:
        raise BadInput(f"{name}: is truncated; copy it again")
    return np.frombuffer(data, "<f4").reshape(-1, columns).astype(np.float32)


def _header(head: bytes, name: str, size: int) -> tuple[int, int]:
    if len(head) < _HEADER.size:
        raise BadInput(f"{name}: is no fmatrix: it has {size} bytes, and the header alone has {_HEADER.size}")
    rows, columns = _HEADER.unpack(head)
    promised = _HEADER.size + 4 * rows * columns
    if rows < 0 or columns < 1:
        raise BadInput(f"{name}: is no fmatrix: its header tells of {rows} rows and {columns} columns")
    if size != promised:
        told = f"its header promises {promised} bytes ({rows} × {columns}) and it has {size}"
        raise BadInput(f"{name}: is {'truncated' if size < promised else 'no fmatrix'}: {told}; copy it again")
    return rows, columns


def write_fmatrix(path: str | Path, matrix: Float[np.ndarray, "frames dim"]) -> None:
    """Write such a file, whole or not at all. `BadInput` for what is no matrix or holds no frame."""
    if matrix.ndim != 2 or matrix.size == 0 or max(matrix.shape) > _MOST:
        raise BadInput(f"{path}: an fmatrix has the shape [frames, dim], at least one of each, not {matrix.shape}")
    with atomic(path, "wb") as file:
        file.write(_HEADER.pack(*matrix.shape))
        file.write(np.ascontiguousarray(matrix, "<f4").tobytes())
