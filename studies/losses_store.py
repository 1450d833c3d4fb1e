"""What the study of losses keeps: the runs' figures, and the scores of the held-out trials, two bytes each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, read_json, write_json
from voxsphere.core.trials import Trials
from voxsphere.data.training_set import TrainingSet

STEP = 1e-4
"""Cosines are kept in units of this."""


@dataclass(frozen=True)
class Store:
    """The folder of the study's outputs."""

    folder: Path

    @property
    def runs(self) -> dict[str, Any]:
        """Of each loss by name: `rates`, the pilot's EER at each, and `seeds`, what each run said."""
        path = self.folder / "runs.json"
        return dict(read_json(path)) if path.exists() else {}

    def add_run(self, name: str, kind: str, key: str, told: dict[str, Any], *, order: Sequence[str]) -> None:
        """Put down one run; one process alone may do so."""
        runs = self.runs
        runs.setdefault(name, {}).setdefault(kind, {})[key] = told
        write_json(self.folder / "runs.json", {each: runs[each] for each in order if each in runs})

    def set_held_out(self, data: TrainingSet) -> None:
        """Keep the trials, and who speaks in them."""
        data.trials.save(self.folder / "held_out.txt")
        speaker_of = data.held_out.speaker_of()
        write_json(self.folder / "held_out_speakers.json", {name: speaker_of[name] for name in data.trials.ids})

    @property
    def held_out(self) -> tuple[Trials, dict[str, str]]:
        """The trials, and who speaks in them."""
        path = self.folder / "held_out.txt"
        if not path.exists():
            raise BadInput(f"{path}: nothing is stored yet; python -m studies.losses run")
        return Trials.load(path), dict(read_json(self.folder / "held_out_speakers.json"))

    def add_scores(self, name: str, seed: int, scores: Float64[np.ndarray, " trials"], *, kind: str = "scores") -> None:
        """Keep the cosine of every trial."""
        known = self.scores(name, kind=kind) | {seed: scores}
        with atomic(self._path(kind, name), "wb") as file:
            steps = {f"seed{each}": np.rint(known[each] / STEP).astype(np.int16) for each in sorted(known)}
            np.savez_compressed(file, allow_pickle=False, **steps)

    def scores(self, name: str, *, kind: str = "scores") -> dict[int, Float64[np.ndarray, " trials"]]:
        """What was kept of each seed; nothing where nothing was."""
        path = self._path(kind, name)
        if not path.exists():
            return {}
        with np.load(path) as stored:
            return {int(key.removeprefix("seed")): stored[key] * STEP for key in stored.files}

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{slug(name)}.npz"


def slug(name: str) -> str:
    """A name as one of a file."""
    return name.lower().replace(", ", "-").replace(" ", "-")


def best_rate(run: dict[str, Any]) -> float | None:
    """The rate that the pilot found best for a loss; None where no run went to its end."""
    tried = {rate: told["eer"] for rate, told in run.get("rates", {}).items() if told["eer"] is not None}
    return float(min(tried, key=lambda rate: tried[rate])) if tried else None


def ranking(figures: dict[str, Any], among: Sequence[str]) -> list[str]:
    """Those of the losses that were measured, the lowest EER first."""
    known = figures["losses"]
    return sorted((name for name in among if name in known), key=lambda name: float(known[name]["eer"]))
