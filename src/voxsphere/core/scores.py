"""Scores: trials, a number for each, and what the numbers mean."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, existing, read_text
from voxsphere.core.trials import Trials, load_pairs, save_pairs

_LABELS = {"target": True, "nontarget": False, "1": True, "0": False}


@dataclass(frozen=True)
class Scores:
    """One value a trial; higher means the same speaker. `scale` is "cosine", "llr" (nats), or what the maker says."""

    trials: Trials
    values: Float64[np.ndarray, " trials"]
    scale: str = "cosine"
    model: str = ""

    def __post_init__(self) -> None:
        if len(self.values) != len(self.trials):
            raise BadInput(f"{len(self.values)} scores do not fit {len(self.trials)} trials")
        if not np.isfinite(self.values).all():
            raise BadInput(f"score {int(np.argmin(np.isfinite(self.values))) + 1} is not a finite number")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def target_scores(self) -> Float64[np.ndarray, " targets"]:
        """The values of target trials."""
        values: Float64[np.ndarray, " targets"] = self.values[self._labels()]
        return values

    @property
    def nontarget_scores(self) -> Float64[np.ndarray, " nontargets"]:
        """The values of non-target trials."""
        values: Float64[np.ndarray, " nontargets"] = self.values[~self._labels()]
        return values

    def save(self, path: str | Path) -> None:
        """Write text (`enrol test score [label]` under a `#` line), or a table where the path ends in .parquet."""
        if Path(path).suffix == ".parquet":
            _save_parquet(self, Path(path))
            return
        target = self.trials.target
        with atomic(path) as file:
            file.write(f"# voxsphere scores scale={self.scale} model={self.model or '-'}\n")
            for i, (a, b) in enumerate(zip(self.trials.enrol, self.trials.test, strict=True)):
                label = "" if target is None else " target" if target[i] else " nontarget"
                file.write(f"{self.trials.ids[a]} {self.trials.ids[b]} {float(self.values[i])!r}{label}\n")

    @staticmethod
    def load(path: str | Path) -> "Scores":
        """Read what `save` wrote, or the same lines without a header; `BadInput` names the line that is wrong."""
        path = existing(path)
        return _load_parquet(path) if path.suffix == ".parquet" else _load_text(path)

    def _labels(self) -> Bool[np.ndarray, " trials"]:
        if self.trials.target is None:
            raise BadInput("these scores have no labels; score a labelled trial list")
        return self.trials.target


def _load_text(path: Path) -> Scores:
    scale, model, rows, numbers = "unknown", "", [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.startswith("#"):
            scale = _stated(line, "scale") or scale
            model = _stated(line, "model") or model
        elif line.strip():
            rows.append(line.split())
            numbers.append(number)
    if not rows:
        raise BadInput(f"{path}: holds no score")
    width = len(rows[0])
    values = np.empty(len(rows))
    for i, (number, row) in enumerate(zip(numbers, rows, strict=True)):
        if len(row) != width or width not in (3, 4) or (width == 4 and row[3] not in _LABELS):
            raise BadInput(f"{path}: line {number} is not `enrol test score [target|nontarget]` like the others")
        try:
            values[i] = float(row[2])
        except ValueError:
            raise BadInput(f"{path}: line {number}: {row[2]!r} is not a number") from None
        if not np.isfinite(values[i]):
            raise BadInput(f"{path}: line {number}: a score is to be finite, not {row[2]}")
    target = [_LABELS[row[3]] for row in rows] if width == 4 else None
    trials = Trials.from_pairs((row[0] for row in rows), (row[1] for row in rows), target)
    return Scores(trials, values, scale, "" if model == "-" else model)


def _stated(line: str, name: str) -> str | None:
    found = re.search(rf"\b{name}=(\S+)", line)
    return found[1] if found else None


def _save_parquet(scores: Scores, path: Path) -> None:
    save_pairs(scores.trials, {"score": scores.values}, {"scale": scores.scale, "model": scores.model}, path)


def _load_parquet(path: Path) -> Scores:
    trials, table = load_pairs(path, "score")
    stated = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    values = table["score"].to_numpy().astype(np.float64)
    return Scores(trials, values, stated.get("scale", "unknown"), stated.get("model", ""))
