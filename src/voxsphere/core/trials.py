"""Trials: pairs of recordings, each the same speaker or not."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Int

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, existing, lines_of

_LABELS = {"target": True, "nontarget": False}
_AT_ONCE = 100_000  # lines


@dataclass(frozen=True)
class Trials:
    """Pairs of recordings. `enrol` and `test` index `ids`; `target` tells same from different, None if unknown."""

    ids: tuple[str, ...]
    enrol: Int[np.ndarray, " trials"]
    test: Int[np.ndarray, " trials"]
    target: Bool[np.ndarray, " trials"] | None

    def __len__(self) -> int:
        return len(self.enrol)

    @staticmethod
    def from_pairs(enrol: Iterable[str], test: Iterable[str], target: Iterable[bool] | None = None) -> "Trials":
        """Trials from the two ids of each pair, and their labels if they are known."""
        enrol, test = list(enrol), list(test)
        numbers: dict[str, int] = {}
        sides = [
            np.array([numbers.setdefault(name, len(numbers)) for name in side], dtype=np.int64)
            for side in (enrol, test)
        ]
        label = None if target is None else np.fromiter(target, dtype=bool)
        if len(sides[0]) != len(sides[1]) or (label is not None and len(label) != len(sides[0])):
            raise BadInput(f"{len(enrol)} enrolment ids, {len(test)} test ids: each trial needs both, and its label")
        return Trials(tuple(numbers), sides[0], sides[1], label)

    @staticmethod
    def load(path: str | Path) -> "Trials":
        """Read `1 a b` / `0 a b` (VoxCeleb) or `a b target` / `a b nontarget` (Kaldi); `a b` has no label.

        The form is told by the first line and holds for all; `BadInput` names the line that departs from it. A path
        that ends in .parquet is a table of `enrol`, `test` and perhaps `target`.
        """
        path = existing(path)
        return _load_parquet(path) if path.suffix == ".parquet" else _load_text(path)

    def save(self, path: str | Path, form: Literal["voxceleb", "kaldi"] = "voxceleb") -> None:
        """Write the trials in one of the two forms (without labels, bare pairs), or a table where it ends in .parquet.

        Of long lists a table is a fraction of the text, and read in a fraction of the time.
        """
        if Path(path).suffix == ".parquet":
            save_pairs(self, {}, {}, Path(path))
            return
        with atomic(path) as file:
            for first in range(0, len(self), _AT_ONCE):
                file.writelines(self._lines(slice(first, first + _AT_ONCE), form))

    def _lines(self, some: slice, form: str) -> Iterator[str]:
        ids, pairs = self.ids, zip(self.enrol[some].tolist(), self.test[some].tolist(), strict=True)
        if self.target is None:
            return (f"{ids[a]} {ids[b]}\n" for a, b in pairs)
        labelled = zip(pairs, self.target[some].tolist(), strict=True)
        if form == "voxceleb":
            return (f"{int(same)} {ids[a]} {ids[b]}\n" for (a, b), same in labelled)
        return (f"{ids[a]} {ids[b]} {'target' if same else 'nontarget'}\n" for (a, b), same in labelled)


def _load_text(path: Path) -> Trials:
    ids: dict[str, int] = {}
    enrol, test, target = array("i"), array("i"), bytearray()
    label_at, width, first, labels = None, 0, 0, _LABELS
    for number, line in enumerate(lines_of(path), start=1):
        row = line.split()
        if not row:
            continue
        if not width:
            label_at, width = _label_position(row, f"{path}: line {number}"), len(row)
            first, labels = (1, {"1": True, "0": False}) if label_at == 0 else (0, _LABELS)
        if len(row) != width or (label_at is not None and row[label_at] not in labels):
            raise BadInput(f"{path}: line {number} has not the form of the lines before it ({' '.join(row)[:80]})")
        enrol.append(ids.setdefault(row[first], len(ids)))
        test.append(ids.setdefault(row[first + 1], len(ids)))
        if label_at is not None:
            target.append(labels[row[label_at]])
    if not width:
        raise BadInput(f"{path}: holds no trial")
    labelled = None if label_at is None else np.frombuffer(target, dtype=bool)
    return Trials(tuple(ids), np.array(enrol, dtype=np.int32), np.array(test, dtype=np.int32), labelled)


def save_pairs(trials: Trials, columns: Mapping[str, np.ndarray], told: Mapping[str, str], path: Path) -> None:
    """Write trials as a Parquet table, with further columns of a value each, and what is told of the whole."""
    pyarrow, parquet = pyarrow_for(path)
    ids = pyarrow.array(trials.ids)
    sides = {
        name: pyarrow.DictionaryArray.from_arrays(side.astype(np.int32), ids)
        for name, side in (("enrol", trials.enrol), ("test", trials.test))
    }
    target = {} if trials.target is None else {"target": trials.target}
    table = pyarrow.table({**sides, **columns, **target}).replace_schema_metadata(dict(told))
    with atomic(path, "wb") as file:
        parquet.write_table(table, file, compression="zstd")


def load_pairs(path: Path, *columns: str) -> tuple[Trials, Any]:
    """The trials of a Parquet table, and the table, which is to have these columns too."""
    pyarrow, parquet = pyarrow_for(path)
    try:
        table = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{path}: is damaged or no Parquet file ({str(error).splitlines()[0]})") from error
    missing = [name for name in ("enrol", "test", *columns) if name not in table.column_names]
    if missing:
        raise BadInput(f"{path}: has no column {', '.join(missing)}")
    # Numbers, not words: a list of all pairs has millions of rows and thousands of ids.
    sides = [table[name].combine_chunks().dictionary_encode() for name in ("enrol", "test")]
    sides = [each.combine_chunks() if hasattr(each, "chunks") else each for each in sides]
    ids: dict[str, int] = {}
    numbers = [
        np.array([ids.setdefault(str(name), len(ids)) for name in each.dictionary.to_pylist()], dtype=np.int32)
        for each in sides
    ]
    enrol, test = (of[each.indices.to_numpy()] for of, each in zip(numbers, sides, strict=True))
    target = table["target"].to_numpy().astype(bool) if "target" in table.column_names else None
    return Trials(tuple(ids), enrol, test, target), table


def _load_parquet(path: Path) -> Trials:
    return load_pairs(path)[0]


def pyarrow_for(path: Path) -> tuple[Any, Any]:
    """pyarrow and its Parquet; `BadInput` says how to install them."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise BadInput(f"{path}: Parquet files need pyarrow: pip install 'voxsphere[data]'") from None
    return pyarrow, pyarrow.parquet


def _label_position(row: Sequence[str], where: str) -> int | None:
    if len(row) == 3 and row[2] in _LABELS:  # first: a speaker may be called 0 or 1
        return 2
    if len(row) == 3 and row[0] in ("0", "1"):
        return 0
    if len(row) == 2:
        return None
    raise BadInput(f"{where} is not a trial: `1 a b`, `0 a b`, `a b target`, `a b nontarget` or `a b` is expected")
