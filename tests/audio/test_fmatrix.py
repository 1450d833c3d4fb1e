"""UPC's feature files: the bytes they have, whole and in part, and what is wrong with broken ones."""

import struct

import numpy as np
import pytest
from store_samples import make_tar

from voxsphere.audio.fmatrix import SUFFIXES, is_named, write_fmatrix
from voxsphere.audio.stores import read_array
from voxsphere.core.errors import BadInput

MATRIX = np.random.default_rng(3).normal(0, 5, (50, 21)).astype(np.float32)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".MCP"])
def test_a_file_is_eight_bytes_and_the_numbers_row_by_row(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    write_fmatrix(path, MATRIX)
    content = path.read_bytes()
    assert len(content) == 8 + 4 * 50 * 21
    assert content[:8] == bytes([50, 0, 0, 0, 21, 0, 0, 0])
    assert content[8:] == struct.pack("<1050f", *MATRIX.ravel())
    np.testing.assert_array_equal(read_array(path), MATRIX)


def test_parts_of_files_members_and_addresses_are_read(tmp_path, serve):
    write_fmatrix(tmp_path / "a.mcp", MATRIX)
    places = make_tar(tmp_path / "s.tar", {"x.mcp": b"", "a.mcp": (tmp_path / "a.mcp").read_bytes()})
    address, _, _ = serve(tmp_path)
    for locator in (f"{tmp_path}/a.mcp", f"{tmp_path}/s.tar#a.mcp", places["a.mcp"], f"{address}/a.mcp"):
        for start, count in ((None, None), (0, 5), (17, 30), (40, 99), (40, None)):
            first = start or 0
            last = None if count is None else first + count
            np.testing.assert_array_equal(read_array(locator, start, count), MATRIX[first:last])


def test_a_file_whose_rows_look_like_kaldis_mark_is_read(tmp_path):
    """16,896 rows begin with the two bytes of a Kaldi matrix."""
    write_fmatrix(tmp_path / "long.mcp", np.arange(16896, dtype=np.float32)[:, None])
    assert (tmp_path / "long.mcp").read_bytes().startswith(b"\0B")
    assert read_array(tmp_path / "long.mcp", 9000, 2).tolist() == [[9000.0], [9001.0]]


def test_names_are_told_by_their_suffix():
    assert is_named("x/a.mcp")
    assert is_named("s.tar#b/a.lpcc@1536+48212")
    assert not any(is_named(name) for name in ("a.npy", "mcp", "x.mcp/a", "a.mcp.npy", "a.mcp@12", "feats.ark:12"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it has 0 bytes, and the header alone has 8"),
        (b"\1\0\0\0\1\0", "it has 6 bytes"),
        (struct.pack("<ii4f", 2, 3, 1, 2, 3, 4), r"is truncated: its header promises 32 bytes \(2 × 3\) and it has 24"),
        (struct.pack("<ii4f", 1, 3, 1, 2, 3, 4), "is no fmatrix: its header promises 20 bytes"),
        (struct.pack("<ii4f", -2, -2, 1, 2, 3, 4), "its header tells of -2 rows and -2 columns"),
        (struct.pack("<ii", 5, 0), "tells of 5 rows and 0 columns"),
        (struct.pack(">ii4f", 2, 2, 1, 2, 3, 4), "is truncated: its header promises"),
        (struct.pack("<ii", 2**31 - 1, 2**31 - 1), "is truncated: its header promises"),
        (struct.pack("<ii", 0, 3), "holds no frame from 0 on"),
        (struct.pack("<iif", 1, 1, float("nan")), "holds NaN"),
    ],
)
def test_what_is_damaged_is_refused_in_one_line(content, told, tmp_path):
    (tmp_path / "a.mcp").write_bytes(content)
    with pytest.raises(BadInput, match=rf"^\S+a\.mcp: [^\n]*{told}[^\n]*$"):
        read_array(tmp_path / "a.mcp")


def test_a_server_that_fails_is_told_and_not_a_truncated_file(tmp_path, serve, monkeypatch):
    from voxsphere.audio import remote

    monkeypatch.setattr(remote.Remote, "gulp", 1 << 10)
    write_fmatrix(tmp_path / "a.mcp", np.zeros((500000, 1), np.float32))
    address, _, faults = serve(tmp_path)
    read_array(f"{address}/a.mcp", 0, 1)
    faults += [500] * 9
    with pytest.raises(BadInput, match=r"a\.mcp: cannot be fetched \(status 500\)"):
        read_array(f"{address}/a.mcp", 400000, 50000)


def test_what_is_no_matrix_is_not_written_and_leaves_what_was_there(tmp_path):
    write_fmatrix(tmp_path / "a.mcp", MATRIX)
    for bad in (MATRIX[0], MATRIX[:0], MATRIX[:, :0], MATRIX[None]):
        with pytest.raises(BadInput, match=r"a\.mcp: an fmatrix has the shape \[frames, dim\]"):
            write_fmatrix(tmp_path / "a.mcp", bad)
    np.testing.assert_array_equal(read_array(tmp_path / "a.mcp"), MATRIX)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mcp"]
