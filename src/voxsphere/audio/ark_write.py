"""A feature matrix in the bytes of a Kaldi archive, plain or compressed."""

import struct

import numpy as np
from jaxtyping import Float, Float32, UInt16

from voxsphere.core.errors import BadInput

METHODS = {
    0: "plain, in float32",
    1: "2 for more than 8 frames, else 3",
    2: "8 bits between the quartiles of each column (Kaldi's usual)",
    3: "16 bits between the least and the greatest",
    4: "16 bits for whole numbers from -32768 to 32767",
    5: "8 bits between the least and the greatest",
    6: "8 bits for whole numbers from 0 to 255",
    7: "8 bits from 0 to 1",
}
"""Kaldi's ways of compression (matrix/compressed-matrix.h); 4, 6 and 7 clip what lies outside."""

_FIXED = {4: (-32768.0, 65535.0), 6: (0.0, 255.0), 7: (0.0, 1.0)}
_MARKS = {2: b"CM ", 3: b"CM2 ", 4: b"CM2 ", 5: b"CM3 ", 6: b"CM3 ", 7: b"CM3 "}


def encoded_matrix(matrix: Float[np.ndarray, "frames dim"], *, compression: int = 0) -> bytes:
    """What follows an utterance's id and a blank in an archive. `compression` is one of `METHODS`.

    Plain: 15 + 4 · frames · dim bytes. Compressed: some 20 for the whole, and 1 or 2 a value; method 2 has 8 a column
    besides. Source: Kaldi, matrix/compressed-matrix.cc.
    """
    if compression not in METHODS:
        raise BadInput(f"compression {compression}: there is no such method; give 0 (plain) or 1 to {max(METHODS)}")
    values = np.ascontiguousarray(matrix, "<f4")
    rows, columns = values.shape
    if compression == 0:
        return b"\0BFM " + struct.pack("<bibi", 4, rows, 4, columns) + values.tobytes()
    method = compression if compression > 1 else 2 if rows > 8 else 3
    least, span = _FIXED.get(method) or _range(values)
    head = b"\0B" + _MARKS[method] + struct.pack("<ffii", least, span, rows, columns)
    if method == 2:
        return head + _between_quartiles(values, np.float32(least), np.float32(span))
    steps, kind = (65535, "<u2") if method in (3, 4) else (255, "u1")
    return head + _steps(values, least, span, steps).astype(kind).tobytes()


def _range(values: Float32[np.ndarray, "frames dim"]) -> tuple[float, float]:
    least, most = float(values.min()), float(values.max())
    return least, most - least if most > least else 1 + abs(least)


def _steps(values: Float[np.ndarray, "*shape"], least: float, span: float, steps: int) -> Float[np.ndarray, "*shape"]:
    return np.floor(np.clip((values - np.float64(least)) / span, 0, 1) * steps + 0.499)


def _between_quartiles(values: Float32[np.ndarray, "frames dim"], least: np.float32, span: np.float32) -> bytes:
    """The four edges of each column, then the columns, one after the other."""
    edges = _edges(values, float(least), float(span))
    p0, p25, p75, p100 = (least + edge.astype(np.float32) * np.float32(span / 65535) for edge in edges.astype("<u2"))
    low = np.clip(np.floor((values - p0) / (p25 - p0) * 64 + 0.5), 0, 64)
    middle = np.clip(np.floor((values - p25) / (p75 - p25) * 128 + 0.5), 0, 128) + 64
    high = np.clip(np.floor((values - p75) / (p100 - p75) * 63 + 0.5), 0, 63) + 192
    steps = np.where(values < p25, low, np.where(values < p75, middle, high)).astype(np.uint8)
    content: bytes = edges.T.astype("<u2").tobytes() + steps.T.tobytes()
    return content


def _edges(values: Float32[np.ndarray, "frames dim"], least: float, span: float) -> UInt16[np.ndarray, "4 dim"]:
    """Least, lower quartile, upper quartile and greatest of each column in 16-bit steps, each above the one before."""
    rows = len(values)
    quarter = rows // 4
    places = (0, quarter, 3 * quarter, rows - 1) if rows >= 5 else tuple(range(rows))
    sorted_ = np.sort(values, axis=0)
    found = [_steps(sorted_[place], least, span, 65535) for place in places]
    while len(found) < 4:  # too few frames for four edges
        found.append(found[-1] + 1)
    p0 = np.minimum(found[0], 65532)
    p25 = np.clip(found[1], p0 + 1, 65533)
    p75 = np.clip(found[2], p25 + 1, 65534)
    return np.stack([p0, p25, p75, np.maximum(found[3], p75 + 1)]).astype(np.uint16)
