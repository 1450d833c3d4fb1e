"""What the study of losses keeps: the runs' figures, and the scores of the held-out trials, two bytes each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from studies.store import Runs, add_run, add_scores, read_runs, read_scores, slug
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, write_json
from voxsphere.core.trials import Trials
from voxsphere.data.training_set import TrainingSet

__all__ = ["Store", "best_rate", "ranking", "slug"]


@dataclass(frozen=True)
class Store:
    """The folder of the study's outputs."""

    folder: Path

    @property
    def runs(self) -> Runs:
        """Of each loss by name: `rates`, the pilot's EER at each, and `seeds`, what each run said."""
        return read_runs(self.folder)

    def add_run(self, name: str, kind: str, key: str, told: dict[str, Any], *, order: Sequence[str]) -> None:
        """Put down one run."""
        add_run(self.folder, name, kind, key, told, order=order)

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
        add_scores(self._path(kind, name), seed, scores)

    def scores(self, name: str, *, kind: str = "scores") -> dict[int, Float64[np.ndarray, " trials"]]:
        """What was kept of each seed; nothing where nothing was."""
        return read_scores(self._path(kind, name))

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{slug(name)}.npz"


def best_rate(run: dict[str, Any]) -> float | None:
    """The rate that the pilot found best for a loss; None where no run went to its end."""
    tried = {rate: told["eer"] for rate, told in run.get("rates", {}).items() if told["eer"] is not None}
    return float(min(tried, key=lambda rate: tried[rate])) if tried else None


def ranking(figures: dict[str, Any], among: Sequence[str]) -> list[str]:
    """Those of the losses that were measured, the lowest EER first."""
    known = figures["losses"]
    return sorted((name for name in among if name in known), key=lambda name: float(known[name]["eer"]))
