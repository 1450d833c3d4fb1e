"""What a system's study keeps: what each run told, the scores of every trial, the decisions on every utterance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int

from studies.bootstrap import Sides
from studies.store import (
    Runs,
    add_decisions,
    add_scores,
    change_runs,
    read_decisions,
    read_runs,
    read_scores,
    slug,
)
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, read_json


@dataclass(frozen=True)
class Store:
    """The folder of a system's outputs.

    `runs.json`; `lists/LIST.npz`, the numbers of the speakers in each trial, and `sets/SET.npz`, of each utterance's;
    `scores/LIST/ROW.npz` and `decisions/SET/ROW.npz`; `figures.json`, which is made of these.
    """

    folder: Path

    @property
    def runs(self) -> Runs:
        """Of each row by name: `seeds`, what each run told, and `broken`, why it broke off."""
        return read_runs(self.folder)

    @property
    def figures(self) -> dict[str, Any] | None:
        """What `figures.figures` made of the stored scores and decisions; None where nothing has been run."""
        path = self.folder / "figures.json"
        return dict(read_json(path)) if path.exists() else None

    def done(self, row: str, seed: int) -> bool:
        """Whether this run went to its end."""
        return str(seed) in self.runs.get(row, {}).get("seeds", {})

    def add(self, row: str, seed: int, told: Mapping[str, Any], *, order: Sequence[str]) -> None:
        """Keep what a run told: its arrays first, so that a run that is stored has them."""
        plain = {key: value for key, value in told.items() if key not in ("scores", "decisions")}
        for name, scores in told.get("scores", {}).items():
            self._check(f"list {name}", len(scores), self.lists.get(name))
            add_scores(self._path("scores", name, row), seed, np.asarray(scores, dtype=np.float64))
        for name, right in told.get("decisions", {}).items():
            self._check(f"set {name}", len(right), self.sets.get(name))
            add_decisions(self._path("decisions", name, row), seed, np.asarray(right, dtype=bool))

        def added(runs: Runs) -> None:
            runs.setdefault(row, {}).setdefault("seeds", {})[str(seed)] = plain
            runs[row].get("broken", {}).pop(str(seed), None)

        change_runs(self.folder, added, order=order)

    def add_broken(self, row: str, seed: int, reason: str, *, order: Sequence[str]) -> None:
        """Keep why a run broke off; it may be run again."""

        def added(runs: Runs) -> None:
            runs.setdefault(row, {}).setdefault("broken", {})[str(seed)] = reason

        change_runs(self.folder, added, order=order)

    def scores(self, name: str, row: str) -> dict[int, Float64[np.ndarray, " trials"]]:
        """A row's cosines of a list, of each seed."""
        return read_scores(self._path("scores", name, row))

    def decisions(self, name: str, row: str) -> dict[int, Bool[np.ndarray, " utterances"]]:
        """Which of a row's decisions on a set were right, of each seed."""
        return read_decisions(self._path("decisions", name, row), len(self.sets[name]))

    def set_list(self, name: str, sides: Sides) -> None:
        """Keep who speaks in each trial of a list; `BadInput` where scores of other trials are stored."""
        self._keep("lists", name, {"enrol": sides.enrol, "test": sides.test})

    def set_set(self, name: str, speaker: Int[np.ndarray, " utterances"]) -> None:
        """Keep who speaks in each utterance of a set; `BadInput` where decisions on others are stored."""
        self._keep("sets", name, {"speaker": speaker})

    @property
    def lists(self) -> dict[str, Sides]:
        """Who speaks in each trial, of each list."""
        return {path.stem: Sides(**_numbers(path)) for path in sorted((self.folder / "lists").glob("*.npz"))}

    @property
    def sets(self) -> dict[str, Int[np.ndarray, " utterances"]]:
        """Who speaks in each utterance, of each set."""
        return {path.stem: _numbers(path)["speaker"] for path in sorted((self.folder / "sets").glob("*.npz"))}

    def _keep(self, kind: str, name: str, arrays: dict[str, np.ndarray]) -> None:
        path = self.folder / kind / f"{name}.npz"
        if path.exists():
            if not all(np.array_equal(arrays[key], known) for key, known in _numbers(path).items()):
                raise BadInput(f"{path}: what is stored was judged by others than these; remove {self.folder} to begin")
            return
        with atomic(path, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **{k: each.astype(np.uint16) for k, each in arrays.items()})

    def _check(self, what: str, found: int, known: Sides | np.ndarray | None) -> None:
        if known is None:
            raise BadInput(f"{self.folder.name}: a run tells of the {what}, which is none of the study's")
        count = len(known.enrol) if isinstance(known, Sides) else len(known)
        if found != count:
            raise BadInput(f"{self.folder.name}: a run tells {found} of the {what}, which has {count}")

    def _path(self, kind: str, name: str, row: str) -> Path:
        return self.folder / kind / name / f"{slug(row)}.npz"


def _numbers(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        return {key: stored[key].astype(np.int64) for key in stored.files}
