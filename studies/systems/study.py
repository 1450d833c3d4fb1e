"""What a study of a system consists of: rows to be run, lists and sets to judge them by, and what is to be beaten."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studies.systems.place import Place
from studies.systems.store import Store
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.parts import nearest
from voxsphere.core.trials import Trials
from voxsphere.evaluate.enrolment import Enrolment

HELD_OUT = "held_out"
"""The usual name of the list of held-out train speakers' trials; others of these speakers begin with it."""
BY_SPEAKER = f"{HELD_OUT}_by_speaker"
"""The list of their trials in which one side is the mean of half of a speaker's recordings."""
SEEDS = (0, 1, 2)
Told = dict[str, Any]
"""What a run tells: figures for JSON; `scores`, the cosines of each list; `decisions`, which are right of each set."""


@dataclass(frozen=True)
class Row:
    """A line of the table: `run(place, seed)` trains in `place.run_folder(name, seed)`, or goes on there."""

    name: str
    run: Callable[[Place, int], Told]
    seeds: tuple[int, ...] = SEEDS


@dataclass(frozen=True)
class Tested:
    """A list of trials, and the recordings that it names, in the system's own input form.

    Where there is an `enrolment`, a trial's first is a speaker, the mean of the embeddings that he enrolled with.
    """

    manifest: Manifest
    trials: Trials
    enrolment: Enrolment = field(default_factory=dict)


def _nothing(place: Place) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Study:
    """A system's study.

    `prepare` writes the system's own input form into `place.form`, once. `lists` are what verification rows are scored
    on, `sets` the utterances that closed-set rows decide on; what a row tells of either is in their order. `floors`
    are rows that are to be beaten. `judged` is the list or set that decides whether the system runs (the verdict
    "beats"), `reference` the row that others are compared with and that the verdict is about. `section` makes the
    system's Markdown of what is stored; None takes the usual tables. Of each pair in `compared` the first row is
    compared with the second besides.
    """

    name: str
    rows: tuple[Row, ...]
    budget: str
    reference: str
    prepare: Callable[[Place], None]
    lists: Callable[[Place], Mapping[str, Tested]] = _nothing
    sets: Callable[[Place], Mapping[str, Manifest]] = _nothing
    floors: tuple[Row, ...] = ()
    judged: str = HELD_OUT
    section: Callable[[Store], str] | None = None
    compared: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.reference not in self.names:
            raise BadInput(f"{self.name}: its reference {self.reference!r} is none of its rows")
        for row in (row for pair in self.compared for row in pair):
            self.row(row)

    @property
    def names(self) -> tuple[str, ...]:
        """The floors and rows, in the order in which they are stored."""
        return tuple(row.name for row in (*self.floors, *self.rows))

    def row(self, name: str) -> Row:
        """The row or floor of this name; `BadInput` lists those there are."""
        if name not in self.names:
            raise BadInput(f"{self.name}: no row {name!r}{nearest(name, self.names)}")
        return (*self.floors, *self.rows)[self.names.index(name)]
