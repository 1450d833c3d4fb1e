"""Rows of a NumPy file, read alone."""

import os
import threading
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32

from voxsphere.core.errors import BadInput, flattened

MARK = b"\x93NUMPY"
"""How such a file begins."""
_ONE_AT_A_TIME = threading.Lock()
"""NumPy has Python parse the header, whose parser fails now and then in two threads at once before Python 3.11.9."""


def read_rows(file: BinaryIO, start: int, stop: int | None, name: str) -> Float32[np.ndarray, "frames dim"]:
    """The rows from `start` to `stop` of an array of floats with two axes. `name` is what messages call it."""
    try:
        version = np.lib.format.read_magic(file)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        with _ONE_AT_A_TIME:
            shape, by_columns, dtype = reader(file)
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
