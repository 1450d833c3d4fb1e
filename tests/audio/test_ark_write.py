"""Kaldi matrices written: kaldiio reads them, the bytes are its own where they are exact, and errors are bounded."""

import io
import struct

import numpy as np
import pytest

from voxsphere.audio.ark import read_matrix
from voxsphere.audio.ark_write import METHODS, encoded_matrix
from voxsphere.core.errors import BadInput

kaldiio = pytest.importorskip("kaldiio")

RANDOM = np.random.default_rng(5)
MATRIX = RANDOM.normal(0, 5, (123, 20)).astype(np.float32)
WHOLE = RANDOM.integers(0, 256, (60, 7)).astype(np.float32)
SHARE = RANDOM.uniform(0, 1, (60, 7)).astype(np.float32)
GIVEN = {0: MATRIX, 1: MATRIX, 2: MATRIX, 3: MATRIX, 4: WHOLE - 100, 5: MATRIX, 6: WHOLE, 7: SHARE}


def by_kaldiio(content: bytes) -> np.ndarray:
    return kaldiio.matio.read_kaldi(io.BytesIO(content))


def ours(content: bytes) -> np.ndarray:
    return read_matrix(io.BytesIO(content), 0, None, "a")


@pytest.mark.parametrize("method", METHODS)
def test_kaldiio_and_we_read_what_we_write(method):
    content = encoded_matrix(GIVEN[method], compression=method)
    # Of method 4, kaldiio adds in float32 what lies 2^16 steps apart.
    np.testing.assert_allclose(ours(content), by_kaldiio(content), atol=5e-3 if method == 4 else 1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_lost_is_at_most_half_a_step(method):
    matrix = GIVEN[method]
    span = float(np.ptp(matrix))
    error = np.abs(ours(encoded_matrix(matrix, compression=method)) - matrix)
    if method in (1, 2):
        low, high = np.quantile(matrix, (0.25, 0.75), axis=0)
        # The widest of the three parts of a column has steps of its width over 63.
        steps = np.maximum(np.ptp(matrix, axis=0) - (high - low), (high - low)) / 63
        assert (error <= 0.5 * steps + span / 65535).all()
        assert error.mean() < 0.03
    else:
        half = {0: 0.0, 3: 0.51 * span / 65535, 4: 0.0, 5: 0.51 * span / 255, 6: 0.0, 7: 0.51 / 255}[method]
        assert error.max() <= half + 1e-5 * (method > 0)


@pytest.mark.parametrize("method", METHODS)
def test_the_size_is_as_stated(method):
    rows, columns = GIVEN[method].shape
    sizes = {0: 15 + 4 * rows * columns, 3: 22 + 2 * rows * columns, 4: 22 + 2 * rows * columns}
    quartiles = 21 + 8 * columns + rows * columns
    expected = sizes.get(method, quartiles if method in (1, 2) else 22 + rows * columns)
    assert len(encoded_matrix(GIVEN[method], compression=method)) == expected


@pytest.mark.parametrize("method", [0, 1, 2, 3, 5])
def test_the_steps_are_kaldiios(method):
    file = io.BytesIO()
    kaldiio.matio.write_array(file, MATRIX, compression_method=method or None)
    theirs = np.frombuffer(file.getvalue(), np.uint8)
    mine = np.frombuffer(encoded_matrix(MATRIX, compression=method), np.uint8)
    assert mine.shape == theirs.shape
    # Where a value lies between two steps, float32 and float64 may choose differently.
    assert np.mean(mine != theirs) <= (0 if method == 0 else 0.01)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("method", [1, 2, 3, 5])
def test_few_frames_and_columns_that_never_change_come_back(rows, method):
    matrix = MATRIX[:rows].copy()
    matrix[:, 3] = 2.0
    content = encoded_matrix(matrix, compression=method)
    np.testing.assert_allclose(ours(content), by_kaldiio(content), atol=1e-5)
    assert np.abs(ours(content) - matrix).max() < 0.15
    constant = np.full((rows, 4), -3.0, np.float32)
    np.testing.assert_allclose(ours(encoded_matrix(constant, compression=method)), constant, atol=1e-3)


def test_fixed_ranges_clip_what_lies_outside():
    assert ours(encoded_matrix(np.array([[-5.0, 300.0]], np.float32), compression=6)).tolist() == [[0.0, 255.0]]
    outside = ours(encoded_matrix(np.array([[-1.0, 2.0]], np.float32), compression=7))
    np.testing.assert_allclose(outside, [[0.0, 1.0]], atol=1e-6)
    assert ours(encoded_matrix(np.array([[1e6, -1e6]], np.float32), compression=4)).tolist() == [[32767.0, -32768.0]]


def test_an_unknown_method_is_refused():
    with pytest.raises(BadInput, match=r"compression 8: there is no such method; give 0 \(plain\) or 1 to 7"):
        encoded_matrix(MATRIX, compression=8)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5)])
@pytest.mark.parametrize("kind", [b"FM ", b"DM ", b"CM ", b"CM2 ", b"CM3 "])
def test_a_matrix_without_frames_is_read_as_one(shape, kind):
    rows, columns = shape
    plain = kind in (b"FM ", b"DM ")
    head = struct.pack("<bibi", 4, rows, 4, columns) if plain else struct.pack("<ffii", 0.0, 0.0, rows, columns)
    content = b"\0B" + kind + head + bytes(8 * columns)  # "CM " tells quartiles of its columns
    assert ours(content).shape == shape
    if plain:
        assert by_kaldiio(content).shape == shape
