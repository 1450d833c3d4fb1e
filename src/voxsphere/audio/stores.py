"""Locators: one string for where a recording (or its stored features) lies, whatever the store.

    a.flac                                   a file
    wav.ark:1742                             the wave or matrix at a byte of a Kaldi archive; `[3:40]` takes its rows
    pack.h5#id10001/video-00001              a dataset of an HDF5 file
    shard-000012.tar#id10001-x.flac          a member of a tar file
    shard-000012.tar#id10001-x.flac@1536+48212   the same with its place, as `pack` writes it: no index is needed

Each file may lie on a disk or at an address that fsspec knows: https://, s3://, simplecache::https:// …
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32

from voxsphere.audio import ark, fmatrix, hdf5, npy, shards
from voxsphere.audio.addresses import is_remote, shown
from voxsphere.audio.ranges import failure, ranges, stream
from voxsphere.audio.ranges import stamp as _stamp
from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing

__all__ = ["Found", "failure", "find", "holds_features", "is_remote", "read_array", "read_vector", "shown", "stamp"]

_Content = Path | BinaryIO | hdf5.Dataset


@dataclass(frozen=True)
class Found:
    """What a locator leads to: a file of its own, the bytes of one, or a dataset.

    `name` is what messages call it; `suffix` is the file's extension, "" where there is none.
    """

    name: str
    suffix: str
    content: _Content


def _tar(place: re.Match[str], name: str) -> Found:
    suffix = PurePosixPath(shards.member_name(place["member"])).suffix
    return Found(name, suffix, shards.open_member(ranges(place["file"]), place["member"], name))


def _hdf5(place: re.Match[str], name: str) -> Found:
    return Found(name, "", hdf5.open_dataset(place["file"], place["member"], name))


def _ark(place: re.Match[str], name: str) -> Found:
    return Found(name, "", ark.open_entry(ranges(place["file"]), int(place["offset"]), name))


def _file(place: re.Match[str], name: str) -> Found:
    file = place["file"]
    suffix = PurePosixPath(name).suffix
    if not is_remote(file):
        return Found(name, suffix, Path(file))
    source = ranges(file)
    return Found(name, suffix, stream(source, 0, source.size))


# A form of locator and what finds it; the first form that fits is taken.
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], Found]], ...] = (
    (re.compile(r"(?P<file>.+\.tar(\?[^#]*)?)#(?P<member>.+)", re.DOTALL), _tar),
    (re.compile(r"(?P<file>.+\.(h5|hdf5|hdf)(\?[^#]*)?)#(?P<member>.+)", re.DOTALL), _hdf5),
    (re.compile(r"(?P<file>.+):(?P<offset>\d+)(\[(?P<rows>[\d:]*)\])?", re.DOTALL), _ark),
    (re.compile(r"(?P<file>.*)", re.DOTALL), _file),
)


def find(locator: str | Path) -> Found:
    """What the locator leads to. Nothing is looked up yet for a file on a disk: it may be missing.

    Raises `BadInput` for what cannot be reached or is not there, without the keys an address may hold.
    """
    text = os.fspath(locator)
    # A file may be called what it likes: one that is there is meant.
    if is_plain(text):
        return Found(text, os.path.splitext(text)[1], Path(text))
    place, finder = _form(text)
    return finder(place, shown(text))


def is_plain(locator: str) -> bool:
    """Whether the locator is the path of a file on a disk and no more."""
    return ("#" not in locator and ":" not in locator) or (not is_remote(locator) and os.path.isfile(locator))


def stamp(locator: str | Path) -> str:
    """What tells that the file which holds this is still the same: its size and time, or its store's own mark."""
    text = os.fspath(locator)
    return _stamp(text if is_plain(text) else _form(text)[0]["file"])


def read_array(
    locator: str | Path, start: int | None = None, count: int | None = None
) -> Float32[np.ndarray, "frames dim"]:
    """Stored features: `count` frames from frame `start` on, or all; fewer where they end before.

    Kaldi matrices (plain, compressed; in archives or files of their own), .npy of shape [frames, dim], HDF5 datasets
    of shape [1, dim, frames] or [frames, dim], UPC's .mcp and its like (see `fmatrix`). Of plain matrices only the rows
    asked for are read. Raises `BadInput` for what is not there, is damaged or is none of these, and for a part that
    lies outside.
    """
    text = os.fspath(locator)
    if (start or 0) < 0 or (count is not None and count < 1):
        raise BadInput(f"{shown(text)}: frames start at 0 or later, and at least 1 is to be read")
    begin, end = _rows(text)
    first = begin + (start or 0)
    stop = end if count is None else min(first + count, end or first + count)
    found = find(text)
    array = _array(found, first, stop)
    if len(array) == 0:
        raise BadInput(f"{found.name}: holds no frame from {start or 0} on")
    if not np.isfinite(array).all():
        raise BadInput(f"{found.name}: holds NaN or infinite values")
    return array


def read_vector(locator: str | Path) -> Float32[np.ndarray, " frames"]:
    """A number a frame: a Kaldi vector (`vad.ark:1742`), plain and binary. `BadInput` for anything else."""
    found = find(locator)
    if isinstance(found.content, hdf5.Dataset):
        raise BadInput(f"{found.name}: is a dataset, where a Kaldi vector is expected")
    if isinstance(found.content, Path):
        with existing(found.content).open("rb") as file:
            return ark.read_vector(file, found.name)
    return ark.read_vector(found.content, found.name)


def _form(text: str) -> tuple[re.Match[str], Callable[[re.Match[str], str], Found]]:
    return next((place, finder) for form, finder in _FORMS if (place := form.fullmatch(text)))


def _rows(text: str) -> tuple[int, int | None]:
    """The rows that the locator itself limits features to."""
    rows = None if is_plain(text) else _form(text)[0].groupdict().get("rows")
    if rows is None:
        return 0, None
    first, _, last = rows.partition(":")
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last)):
        raise BadInput(f"{shown(text)}: [{rows}] is no range of rows such as [0:99]")
    return int(first), int(last) + 1  # Kaldi counts the last one in


def _array(found: Found, start: int, stop: int | None) -> Float32[np.ndarray, "frames dim"]:
    if isinstance(found.content, hdf5.Dataset):
        return found.content.frames(start, stop)
    if isinstance(found.content, Path):
        with existing(found.content).open("rb") as file:
            return _matrix(file, start, stop, found.name)
    try:
        return _matrix(found.content, start, stop, found.name)
    except BadInput:
        if reason := failure(found.content):
            raise reason from None
        raise


def _matrix(file: BinaryIO, start: int, stop: int | None, name: str) -> Float32[np.ndarray, "frames dim"]:
    if (reader := _reader(file, name)) is None:
        raise BadInput(f"{name}: holds no features: neither a Kaldi matrix nor .npy nor HDF5 nor fmatrix")
    return reader(file, start, stop, name)


def holds_features(found: Found) -> bool:
    """Whether this is a matrix of features, by how it begins."""
    if isinstance(found.content, hdf5.Dataset):
        return found.content.holds_features
    if not isinstance(found.content, Path):
        return _reader(found.content, found.name) is not None
    with found.content.open("rb") as file:
        return _reader(file, found.name) is not None


_Reader = Callable[[BinaryIO, int, int | None, str], Float32[np.ndarray, "frames dim"]]
"""Of a file: its rows from one to before another, all where that is None. The text is what messages call the file."""

# How a file of features is known, by its name or by its first bytes, and what reads it.
_READERS: tuple[tuple[Callable[[str, bytes], bool], _Reader], ...] = (
    (lambda name, head: fmatrix.is_named(name), fmatrix.read_rows),
    (lambda name, head: head.startswith(ark.MATRIX), ark.read_matrix),
    (lambda name, head: head.startswith(npy.MARK), npy.read_rows),
)


def _reader(file: BinaryIO, name: str) -> _Reader | None:
    """What reads the features that the file holds, None where it holds none; the file is left at its beginning."""
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    return next((reader for fits, reader in _READERS if fits(name, head)), None)
