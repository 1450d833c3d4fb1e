"""What a run folder tells of its run: the curves, where it stands, the epochs that became the model, failed files."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json
from voxsphere.core.parts import rebuild
from voxsphere.train import checkpoint
from voxsphere.train.distances import Distances
from voxsphere.train.logbook import read_logbook
from voxsphere.train.parts import PARTS
from voxsphere.train.recipe import check_form
from voxsphere.train.schedule import Progress
from voxsphere.train.weights import Keep, Weights

Columns = Mapping[str, Float64[np.ndarray, " lines"]]


@dataclass(frozen=True)
class Trace:
    """A run, finished or not. `recipe` and `data` are recipe.json and data.json.

    `learning` and `judged` are the logbook's lines of steps and of validations, a column a name. `epochs` are those
    whose weights make up the model, none if none is kept yet. `broken` is the reason of each file that could not be
    read, None where no checkpoint tells. `notes` are what the guard said of the run; `distances` those of the first and
    the last validation, each with its epoch.
    """

    recipe: Mapping[str, Any]
    data: Mapping[str, Any]
    learning: Columns
    judged: Columns
    epochs: tuple[int, ...]
    broken: Mapping[str, str] | None
    finished: bool = False
    notes: tuple[str, ...] = ()
    distances: tuple[tuple[int, Distances], ...] = ()

    @staticmethod
    def of(folder: Path, *, finished: bool = False) -> "Trace":
        """What lies in a run's folder; `BadInput` names the file that is missing or damaged.

        `finished` says that the run is known to be over: its own rule for stopping may be a class that is not here.
        """
        recipe = check_form(read_json(folder / "recipe.json"), str(folder / "recipe.json"))
        data = read_json(folder / "data.json")
        if not isinstance(data, dict) or not {"speakers", "utterances", "held_out_speakers", "stamp"} <= set(data):
            raise BadInput(f"{folder / 'data.json'}: does not tell what the run learns from; is this a run's folder?")
        read = _Read.of(folder / "logbook.jsonl")
        count = recipe["average"]
        assert isinstance(count, int)
        keep: Keep = "average" if recipe["keep"] == "average" else "last"  # the best is the last that was kept
        epochs = Weights(folder / "weights", keep=keep, count=count).epochs
        state = checkpoint.newest(folder / "checkpoints", reading=True)
        broken = None if state is None else state["journal"]["broken"]
        return Trace(
            recipe, data, read.learning, read.judged, epochs, broken, finished, tuple(read.notes), tuple(read.distances)
        )

    @property
    def step(self) -> int:
        """The last step that was logged."""
        return max((int(column["step"][-1]) for column in (self.learning, self.judged) if column), default=0)

    @property
    def epoch(self) -> int:
        """The epoch of that step, from 1."""
        return max((int(column["epoch"][-1]) for column in (self.learning, self.judged) if column), default=0)

    @cached_property
    def steps_per_epoch(self) -> int | None:
        """How many steps an epoch has; None before the first validation."""
        return round(self.judged["step"][0] / self.judged["epoch"][0]) if self.judged else None

    @property
    def chosen(self) -> tuple[int, int] | None:
        """The first and the last step whose weights became the model."""
        size = self.steps_per_epoch
        return (self.epochs[0] * size, self.epochs[-1] * size) if self.epochs and size else None

    @cached_property
    def end(self) -> Literal["whole", "early", "open"]:
        """How it ended: after all its epochs, early because it got no better, or not yet."""
        if self.judged and self.judged["epoch"][-1] >= self.recipe["epochs"]:
            return "whole"
        stopped = self.finished or (self.recipe["stopping"] is not None and self._stopped())
        return "early" if stopped else "open"

    def _stopped(self) -> bool:
        """Whether the recipe's own rule says that it is over."""
        if self.steps_per_epoch is None:
            return False
        rule, validation = (rebuild(self.recipe[name], PARTS)() for name in ("stopping", "validation"))
        lines = [dict(zip(self.judged, line, strict=True)) for line in zip(*self.judged.values(), strict=True)]
        return bool(
            rule(
                Progress(
                    self.step,
                    self.recipe["epochs"] * self.steps_per_epoch,
                    self.steps_per_epoch,
                    tuple(validation.value(line) for line in lines),
                    tuple(int(line["step"]) for line in lines),
                )
            )
        )


class _Read:
    """The logbook, read once: the numbers of steps and validations as columns, NaN where a line lacks one."""

    def __init__(self) -> None:
        self.learning: Columns = {}
        self.judged: Columns = {}
        self.notes: list[str] = []
        self.distances: list[tuple[int, Distances]] = []

    @staticmethod
    def of(path: Path) -> "_Read":
        read, steps, validations = _Read(), _Lines(), _Lines()
        for line in read_logbook(path):
            kind = line.pop("kind")
            if kind == "steps":
                steps.add(line)
            elif kind == "validation":
                validations.add(line)
            elif kind == "note":
                read.notes.append(str(line["words"]))
            elif kind == "distances":
                # The first and the last are shown; a long run has thousands.
                read.distances = [*read.distances[:1], (int(line["epoch"]), Distances.from_json(line))]
        read.learning, read.judged = steps.columns(), validations.columns()
        return read


class _Lines:
    """Lines of numbers, gathered into columns."""

    def __init__(self) -> None:
        self._held: dict[str, array[float]] = {}
        self._count = 0

    def add(self, line: Mapping[str, float]) -> None:
        for name, value in line.items():
            column = self._held.setdefault(name, array("d"))
            column.extend([np.nan] * (self._count - len(column)))
            column.append(value)
        self._count += 1

    def columns(self) -> Columns:
        for column in self._held.values():
            column.extend([np.nan] * (self._count - len(column)))
        return {name: np.array(column) for name, column in self._held.items()}
