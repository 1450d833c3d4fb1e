"""Rows of a NumPy file, read alone."""

import io
import os
import threading
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float32

from voxsphere.core.errors import BadInput, flattened

MARK = b"\x93NUMPY"
"""How such a file begins."""
_PARSING: dict[int, threading.Lock] = {}
"""NumPy has Python parse the header, whose parser fails now and then in two threads at once before Python 3.11.9. Of
each process its own, as a forked one must not wait for a lock that a thread of its parent held."""


def read_rows(file: BinaryIO, start: int, stop: int | None, name: str) -> Float32[np.ndarray, "frames dim"]:
    """The rows from `start` to `stop` of an array of floats with two axes. `name` is what messages call it."""
    try:
        shape, by_columns, dtype = _header(file)
    except (ValueError, KeyError) as error:
        raise BadInput(f"{name}: cannot be read as .npy ({flattened(error)})") from error
    if len(shape) != 2 or by_columns or dtype.kind != "f":
        raise BadInput(f"{name}: holds {dtype} of shape {shape}; features are floats of shape [frames, dim]")
    last = shape[0] if stop is None else min(stop, shape[0])
    width = dtype.itemsize * shape[1]
    file.seek(min(start, last) * width, os.SEEK_CUR)
    wanted = max(0, last - start) * width
    data = file.read(wanted)
    if len(data) < wanted:
        raise BadInput(f"{name}: is truncated; copy it again")
    return np.frombuffer(data, dtype).reshape(-1, shape[1]).astype(np.float32)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    width, reader = {
        (1, 0): (2, np.lib.format.read_array_header_1_0),
        (2, 0): (4, np.lib.format.read_array_header_2_0),
    }[version]
    length = file.read(width)
    # A slow file is waited for before other threads have to wait for this one.
    held = io.BytesIO(length + file.read(int.from_bytes(length, "little")))
    with _PARSING.setdefault(os.getpid(), threading.Lock()):
        found: tuple[tuple[int, ...], bool, np.dtype[Any]] = reader(held)
    return found
