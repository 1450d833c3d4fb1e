"""The manifest: which recordings there are, and who speaks in them."""

import csv
import io
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, existing, read_text


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording or a part of one. Times are seconds.

    With a `start`, the utterance is `duration` seconds from there (None: to the end). Without one it is the whole
    file, and `duration` is only what somebody measured. `speed` is how fast it is to be played (1.1: faster and
    higher); times count before that. `extra` holds a manifest's further columns.
    """

    id: str
    path: str
    speaker: str = ""
    start: float | None = None
    duration: float | None = None
    session: str = ""
    gender: str = ""
    language: str = ""
    text: str = ""
    dataset: str = ""
    split: str = ""
    speed: float = 1.0
    extra: tuple[tuple[str, str], ...] = ()


_KNOWN = tuple(field.name for field in fields(Utterance) if field.name != "extra")
_NUMBERS = ("start", "duration", "speed")


@dataclass(frozen=True)
class Manifest:
    """Utterances with unique ids, in order. Speakers are named as written: two data sets may use one name for two."""

    utterances: tuple[Utterance, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for utterance in self.utterances:
            if utterance.id in seen:
                raise BadInput(f"utterance id {utterance.id!r} stands for two utterances; ids are to be unique")
            seen.add(utterance.id)

    def __len__(self) -> int:
        return len(self.utterances)

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self.utterances)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids, in order."""
        return tuple(utterance.id for utterance in self.utterances)

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers' names, sorted."""
        return tuple(sorted({utterance.speaker for utterance in self.utterances}))

    def speaker_of(self) -> dict[str, str]:
        """The speaker of each id."""
        return {utterance.id: utterance.speaker for utterance in self.utterances}

    def with_speeds_as_speakers(self, *speeds: float) -> "Manifest":
        """The corpus and, for each speed, a copy of it played so fast, spoken by further speakers (`id10001@0.9`)."""
        if strange := [speed for speed in speeds if not 0 < speed < math.inf]:
            raise BadInput(f"a speed of {strange[0]:g} cannot be played; 1 is as recorded, 1.1 is faster and higher")
        copies = [
            replace(u, id=f"{u.id}@{speed:g}", speaker=f"{u.speaker}@{speed:g}", speed=u.speed * speed)
            for speed in speeds
            for u in self.utterances
        ]
        return Manifest(self.utterances + tuple(copies))

    @staticmethod
    def load(path: str | Path) -> "Manifest":
        """Read a table with a header: tab-separated text, or .parquet.

        `path` and `speaker` are required; an id that is not given is the path as written (with `@start` for a part of
        a file). Relative paths are taken from the table's folder. `BadInput` names the line that is wrong.
        """
        path = existing(path)
        rows = _parquet_rows(path) if path.suffix == ".parquet" else _text_rows(path)
        utterances: list[Utterance] = []
        places: dict[str, str] = {}
        for where, row in rows:
            utterance = _utterance(row, where, path.parent)
            if utterance.id in places:
                raise BadInput(f"{where}: id {utterance.id!r} stands already in {places[utterance.id]}")
            places[utterance.id] = where.rpartition(": ")[2]
            utterances.append(utterance)
        if not utterances:
            raise BadInput(f"{path}: lists no utterance")
        return Manifest(tuple(utterances))

    def save(self, path: str | Path) -> None:
        """Write a table that `load` reads back; paths below its folder are written relative to it."""
        path = Path(path)
        rows = [_row(utterance, path.parent) for utterance in self.utterances]
        used = {name for row in rows for name in row}
        columns = [name for name in _KNOWN if name in used or name in ("id", "path", "speaker")]
        columns += sorted(used - set(_KNOWN))
        if path.suffix == ".parquet":
            pyarrow, parquet = _pyarrow(path)
            table = pyarrow.table({name: [row.get(name) for row in rows] for name in columns})
            with atomic(path, "wb") as file:
                parquet.write_table(table, file)
            return
        with atomic(path) as file:
            file.write("\t".join(columns) + "\n")
            for row in rows:
                values = [row.get(name, "") for name in columns]
                if any("\t" in value or "\n" in value or "\r" in value for value in values):
                    raise BadInput(f"{path}: {row['id']!r} holds a tab or a line break; such manifests fit .parquet")
                file.write("\t".join(values) + "\n")


def _text_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    text = read_text(path).removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(reader, None)
    if header is None:
        raise BadInput(f"{path}: is empty; a manifest begins with a line of column names (path, speaker, …)")
    _check_header(header, path)
    for row in reader:
        if not row:
            continue
        where = f"{path}: line {reader.line_num}"
        if len(row) != len(header):
            raise BadInput(f"{where} has {len(row)} fields, the header has {len(header)}")
        yield where, dict(zip(header, row, strict=True))


def _parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    pyarrow, parquet = _pyarrow(path)
    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{path}: is damaged or no Parquet file ({str(error).splitlines()[0]})") from error
    _check_header(table.column_names, path)
    for number, row in enumerate(table.to_pylist(), start=1):
        yield f"{path}: row {number}", {name: "" if value is None else str(value) for name, value in row.items()}


def _check_header(header: list[str], path: Path) -> None:
    missing = [name for name in ("path", "speaker") if name not in header]
    if missing:
        raise BadInput(f"{path}: has no column {' and '.join(missing)} (its columns: {', '.join(header)[:200]})")
    if len(set(header)) < len(header):
        raise BadInput(f"{path}: has a column twice ({', '.join(header)[:200]})")


def _utterance(row: Mapping[str, str], where: str, folder: Path) -> Utterance:
    written = row["path"]
    if not written:
        raise BadInput(f"{where}: has no path")
    start, duration, speed = (_number(row.get(name, ""), name, where) for name in _NUMBERS)
    if speed == 0:
        raise BadInput(f"{where}: speed is 0; 1 is as recorded")
    name = row.get("id") or (written if start is None else f"{written}@{start:g}")
    plain = {key: row[key] for key in _KNOWN if key in row and key not in ("id", "path", *_NUMBERS)}
    extra = tuple((key, value) for key, value in row.items() if key not in _KNOWN and value != "")
    path = written if os.path.isabs(written) or _is_address(written) else str(folder / written)
    fast = 1.0 if speed is None else speed
    return Utterance(id=name, path=path, start=start, duration=duration, speed=fast, extra=extra, **plain)


def _number(text: str, name: str, where: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise BadInput(f"{where}: {name} {text!r} is no {'factor' if name == 'speed' else 'number of seconds'}")
    return value


def _row(utterance: Utterance, folder: Path) -> dict[str, str]:
    row = {"id": utterance.id, "path": _path_from(utterance.path, folder)}
    for name in _KNOWN[2:]:
        value = getattr(utterance, name)
        if value not in ("", None) and (name, value) != ("speed", 1.0):
            row[name] = repr(value) if name in _NUMBERS else str(value)
    return row | dict(utterance.extra)


def _path_from(path: str, folder: Path) -> str:
    if _is_address(path):
        return path
    return str(Path(path).relative_to(folder) if Path(path).is_relative_to(folder) else Path(path).absolute())


def _is_address(path: str) -> bool:
    """Whether a path is one on the network, which no folder leads to."""
    return "://" in path


def _pyarrow(path: Path) -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise BadInput(f"{path}: Parquet files need pyarrow: pip install 'voxsphere[data]'") from None
    return pyarrow, pyarrow.parquet
