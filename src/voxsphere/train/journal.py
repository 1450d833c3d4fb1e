"""The books of a run: losses to be averaged, figures of the validations, files that failed."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.train.distances import Distances
from voxsphere.train.guard import Guard
from voxsphere.train.logbook import Board, Logbook
from voxsphere.train.loop import Step
from voxsphere.train.numbers import check_finite

LEAST = 10
"""So many files may be broken whatever their share, or one in ten, if that is less."""


class Journal:
    """Collects steps, and writes them down every so often; the same on every process, written by one.

    Losses stay on their device until they are logged, so that a GPU need not be waited for.
    """

    def __init__(
        self,
        folder: Path,
        accelerator: Accelerator,
        *,
        files: int,
        max_broken: float,
        told: Callable[[str], None],
        guard: Guard | None = None,
    ) -> None:
        self.folder, self.accelerator, self.told = folder, accelerator, told
        self.files, self.max_broken = files, max_broken
        self.figures: list[dict[str, float]] = []
        self.figure_steps: list[int] = []
        self.broken: dict[str, str] = {}
        self.guard = guard or Guard()
        self._names: list[str] = []
        self._pending: list[Tensor] = []  # a row a step since the last line
        self._epoch = [0.0, 0.0, 0.0]  # steps, summed loss, summed accuracy since the last validation
        self._dealt = 0
        self._steps = 0
        self._waited, self._since, self._utterances = 0.0, time.perf_counter(), 0
        self._logbook: Logbook | None = None
        self._board: Board | None = None

    def open(self, state: dict[str, Any] | None, step: int) -> None:
        """Open the books, at the place where the checkpoint left them."""
        if state is not None:
            self.figures, self.figure_steps, self.broken = state["figures"], state["figure_steps"], state["broken"]
            self._names, self._epoch, self._dealt = state["names"], state["epoch"], state["dealt"]
            self._pending = [row.to(self.accelerator.device) for row in state["pending"]]
            if "guard" in state:  # not in checkpoints of before there was one
                self.guard.load_state_dict(state["guard"])
        if self.accelerator.is_main_process:
            self._logbook = Logbook(self.folder / "logbook.jsonl", 0 if state is None else state["logbook"])
            self._board = Board(self.folder / "board", step)
        self._since = time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        """Everything that `open` needs."""
        assert self._logbook is not None
        pending = [row.cpu() for row in self._pending]
        check_finite(pending, "the loss", self._steps)
        return {
            "figures": self.figures,
            "figure_steps": self.figure_steps,
            "broken": self.broken,
            "names": self._names,
            "epoch": self._epoch,
            "dealt": self._dealt,
            "pending": pending,
            "guard": self.guard.state_dict(),
            "logbook": self._logbook.position,
        }

    def add(self, step: Step, *, utterances: int) -> None:
        """Take in a step's losses and the files that failed in it."""
        self._names, self._steps = list(step.losses), step.number + 1
        row = torch.stack([step.losses[name].float() for name in self._names])
        # Averaged over the processes at once: what waits to be logged is then the same on all of them.
        self._pending.append(self.accelerator.reduce(row, "mean") if self.accelerator.num_processes > 1 else row)
        self._waited += step.waited
        self._utterances += utterances
        self._dealt += utterances
        for path, reason in step.broken:
            self.fail(path, reason, "another stands in for it")
        allowed = max(1, min(LEAST, self.files // 10), self.max_broken * min(self._dealt, self.files))
        if len(self.broken) > allowed:
            path, reason = next(iter(self.broken.items()))
            raise BadInput(
                f"{len(self.broken)} files cannot be read, more than {self.max_broken:.1%} of what was asked for; "
                f"the first: {reason}. `voxsphere check` lists them all"
            )

    def fail(self, path: str, reason: str, remedy: str) -> None:
        """Take in that a file cannot be read; the first time, somebody is told why, and what is done about it."""
        if path not in self.broken:
            self.broken[path] = reason
            self.told(f"{reason}; {remedy}")

    def log(self, step: Step, *, epoch: int) -> tuple[dict[str, float], float, float]:
        """Write a line with the means since the last one; those, examples a second, and the share spent waiting."""
        rows = torch.stack(self._pending).double().cpu()
        means = dict(zip(self._names, rows.mean(0).tolist(), strict=True))
        self._epoch[0] += len(rows)
        self._epoch[1] += float(rows[:, self._names.index("loss")].sum())
        self._epoch[2] += float(rows[:, self._names.index("accuracy")].sum()) if "accuracy" in self._names else 0.0
        self._pending = []
        passed = time.perf_counter() - self._since
        speed, waiting = self._utterances / passed, self._waited / passed
        self._waited, self._since, self._utterances = 0.0, time.perf_counter(), 0
        check_finite([rows], "the loss", step.number + 1)
        norm = None if step.gradient_norm is None else float(step.gradient_norm)
        if self._logbook is not None and self._board is not None:
            told = {"step": step.number + 1, "epoch": epoch, **means, "learning_rate": step.learning_rate}
            told |= {} if step.margin is None else {"margin": step.margin}
            told |= {} if norm is None else {"gradient_norm": norm}
            self._logbook.write("steps", told)
            speeds = {"utterances_per_second": speed, "waiting": waiting}
            rates = {"learning_rate": step.learning_rate, "margin": step.margin, "gradient_norm": norm}
            self._board.write(step.number + 1, {**means, **rates, **speeds})
        self._note(self.guard.look(step.number + 1, means), step.number + 1, epoch)
        return means, speed, waiting

    def end(self, step: int, epoch: int) -> None:
        """Take in that the run is over, which may be known only after a validation."""
        self._note(self.guard.end(), step, epoch)

    def _note(self, said: Iterable[str], step: int, epoch: int) -> None:
        for words in said:
            self.told(words)
            if self._logbook is not None:
                self._logbook.write("note", {"step": step, "epoch": epoch, "words": words})

    def judge(self, step: int, epoch: int, found: dict[str, float], distances: Distances | None) -> None:
        """Take in a validation's figures and distances, and the training's own figures since the one before."""
        count, loss, accuracy = self._epoch
        error = {"error": 1 - accuracy / max(count, 1)} if "accuracy" in self._names else {}
        figures = {**found, "loss": loss / max(count, 1), **error}
        self._epoch = [0.0, 0.0, 0.0]
        self.figures.append(figures)
        self.figure_steps.append(step)
        if self._logbook is not None and self._board is not None:
            self._logbook.write("validation", {"step": step, "epoch": epoch, **figures})
            self._board.write(step, {f"validation/{name}": value for name, value in figures.items()})
            if distances is not None:
                self._logbook.write("distances", {"step": step, "epoch": epoch, **distances.to_json()})
                self._board.write_distances(step, distances)
        self._since = time.perf_counter()  # validating is not training

    def gather_broken(self) -> None:
        """Let every process know of all the files that failed."""
        if self.accelerator.num_processes > 1:
            self.broken = dict(sorted(dict(gather_object(list(self.broken.items()))).items()))

    def close(self) -> None:
        """Close the books."""
        if self._logbook is not None and self._board is not None:
            self._logbook.close()
            self._board.close()
