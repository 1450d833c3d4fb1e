"""What a run folder tells of its run: the curves, where it stands, the epochs that became the model, failed files."""

from array import array
from collections import defaultdict
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
    read, None where no checkpoint tells.
    """

    recipe: Mapping[str, Any]
    data: Mapping[str, Any]
    learning: Columns
    judged: Columns
    epochs: tuple[int, ...]
    broken: Mapping[str, str] | None
    finished: bool = False

    @staticmethod
    def of(folder: Path, *, finished: bool = False) -> "Trace":
        """What lies in a run's folder; `BadInput` names the file that is missing or damaged.

        `finished` says that the run is known to be over: its own rule for stopping may be a class that is not here.
        """
        recipe = check_form(read_json(folder / "recipe.json"), str(folder / "recipe.json"))
        data = read_json(folder / "data.json")
        if not isinstance(data, dict) or not {"speakers", "utterances", "held_out_speakers", "stamp"} <= set(data):
            raise BadInput(f"{folder / 'data.json'}: does not tell what the run learns from; is this a run's folder?")
        learning, judged = _columns(folder / "logbook.jsonl")
        count = recipe["average"]
        assert isinstance(count, int)
        keep: Keep = "average" if recipe["keep"] == "average" else "last"  # the best is the last that was kept
        epochs = Weights(folder / "weights", keep=keep, count=count).epochs
        state = checkpoint.newest(folder / "checkpoints", reading=True)
        return Trace(
            recipe, data, learning, judged, epochs, None if state is None else state["journal"]["broken"], finished
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


def _columns(path: Path) -> tuple[Columns, Columns]:
    """The numbers of both kinds of lines, as columns; a line that lacks one has NaN there."""
    held: dict[str, dict[str, array[float]]] = {"steps": defaultdict(_column), "validation": defaultdict(_column)}
    counts = dict.fromkeys(held, 0)
    for line in read_logbook(path):
        kind = line["kind"]
        if kind not in held:
            continue
        columns, count = held[kind], counts[kind]
        del line["kind"]
        for name, value in line.items():
            column = columns[name]
            if len(column) < count:
                column.extend([np.nan] * (count - len(column)))
            column.append(value)
        counts[kind] += 1
    for kind, columns in held.items():
        for column in columns.values():
            column.extend([np.nan] * (counts[kind] - len(column)))
    learning, judged = ({name: np.array(c) for name, c in columns.items()} for columns in held.values())
    return learning, judged


def _column() -> "array[float]":
    return array("d")
