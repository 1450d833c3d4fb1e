"""Where sounds to add and room responses come from: a folder, or a table, listed once in each process."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from voxsphere.audio.wave import info
from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing, expanded, read_text

_AUDIO = frozenset((".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".sph", ".m4a", ".w64"))


@dataclass(frozen=True)
class Source:
    """A recording, or what of it lies from `begin` to `end` (seconds; None: the file's end)."""

    path: str
    begin: float = 0.0
    end: float | None = None

    @property
    def seconds(self) -> float:
        """How long it is; asks the file where the table did not say."""
        return (_file_seconds(self.path) if self.end is None else self.end) - self.begin


def listed(sources: str, kind: str = "") -> tuple[Source, ...]:
    """The recordings of a folder and its subfolders in order of path, or of a table (.tsv, .parquet) in its order.

    A path may name environment variables (`$MUSAN/noise`). A table needs a column `path`; of `start` and `duration`,
    where both are given, a row is that part of its file. With `kind`, only rows whose column `kind` is that are taken,
    and of a folder only the files below a subfolder of that name. Relative paths in a table are taken from its folder,
    or from the folder above where that is where the first of them lies. `BadInput` where nothing is left.
    """
    return _found(Path(expanded(sources)), kind)


def one_of(sources: tuple[Source, ...], random: np.random.Generator) -> Source:
    """One of the recordings, all alike likely."""
    return sources[int(random.integers(len(sources)))]


@cache
def _found(place: Path, kind: str) -> tuple[Source, ...]:
    found = _in_folder(place, kind) if place.is_dir() else _in_table(existing(place), kind)
    if not found:
        raise BadInput(f"{place}: lists no recording" + (f" of kind {kind!r}" if kind else ""))
    return found


@cache
def _file_seconds(path: str) -> float:
    return info(path).seconds


def _in_folder(folder: Path, kind: str) -> tuple[Source, ...]:
    files = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _AUDIO)
    return tuple(Source(str(path)) for path in files if not kind or kind in path.relative_to(folder).parts[:-1])


def _in_table(path: Path, kind: str) -> tuple[Source, ...]:
    rows = list(_parquet_rows(path) if path.suffix == ".parquet" else _text_rows(path))
    columns = set(rows[0]) if rows else set()
    if rows and "path" not in columns:
        raise BadInput(f"{path}: has no column path (its columns: {', '.join(sorted(columns))})")
    if rows and kind and "kind" not in columns:
        raise BadInput(f"{path}: has no column kind to choose {kind!r} by")
    folder = path.parent
    if rows and not (folder / rows[0]["path"]).exists() and (folder.parent / rows[0]["path"]).exists():
        folder = folder.parent
    return tuple(_source(row, folder, path) for row in rows if not kind or row["kind"] == kind)


def _source(row: dict[str, str], folder: Path, table: Path) -> Source:
    # An address (s3://…) is no path to put a folder before.
    path = row["path"] if "://" in row["path"] else str(folder / row["path"])
    start, duration = row.get("start"), row.get("duration")
    if not (start and duration):
        return Source(path)
    try:
        begin, seconds = float(start), float(duration)
    except ValueError:
        raise BadInput(f"{table}: {row['path']} has start {start!r}, duration {duration!r}; give seconds") from None
    return Source(path, begin, begin + seconds)


def _text_rows(path: Path) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(read_text(path)), delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
    for row in reader:
        if None in row:
            raise BadInput(f"{path}: line {reader.line_num} has more fields than the header")
        yield row


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise BadInput(f"{path}: Parquet files need pyarrow: pip install 'voxsphere[data]'") from None
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{path}: is damaged or no Parquet file ({str(error).splitlines()[0]})") from error
    for row in table.to_pylist():
        yield {name: "" if value is None else str(value) for name, value in row.items()}
