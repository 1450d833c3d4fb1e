"""Trials: pairs of recordings, each the same speaker or not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, read_text

_LABELS = {"target": True, "nontarget": False}


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

        The form is told by the first line and holds for all; `BadInput` names the line that departs from it.
        """
        rows = [line.split() for line in read_text(path).splitlines()]
        numbered = [(number, row) for number, row in enumerate(rows, start=1) if row]
        if not numbered:
            raise BadInput(f"{path}: holds no trial")
        label_at = _label_position(numbered[0][1], f"{path}: line {numbered[0][0]}")
        width = 2 if label_at is None else 3
        labels = {"1": True, "0": False} if label_at == 0 else _LABELS
        for number, row in numbered:
            if len(row) != width or (label_at is not None and row[label_at] not in labels):
                raise BadInput(f"{path}: line {number} has not the form of the lines before it ({' '.join(row)[:80]})")
        first = 1 if label_at == 0 else 0
        target = None if label_at is None else [labels[row[label_at]] for _, row in numbered]
        return Trials.from_pairs((row[first] for _, row in numbered), (row[first + 1] for _, row in numbered), target)

    def save(self, path: str | Path, form: Literal["voxceleb", "kaldi"] = "voxceleb") -> None:
        """Write the trials in one of the two forms; without labels, bare pairs."""
        with atomic(path) as file:
            for i, (a, b) in enumerate(zip(self.enrol, self.test, strict=True)):
                pair = f"{self.ids[a]} {self.ids[b]}"
                if self.target is None:
                    file.write(f"{pair}\n")
                elif form == "voxceleb":
                    file.write(f"{int(self.target[i])} {pair}\n")
                else:
                    file.write(f"{pair} {'target' if self.target[i] else 'nontarget'}\n")


def _label_position(row: Sequence[str], where: str) -> int | None:
    if len(row) == 3 and row[2] in _LABELS:  # first: a speaker may be called 0 or 1
        return 2
    if len(row) == 3 and row[0] in ("0", "1"):
        return 0
    if len(row) == 2:
        return None
    raise BadInput(f"{where} is not a trial: `1 a b`, `0 a b`, `a b target`, `a b nontarget` or `a b` is expected")
