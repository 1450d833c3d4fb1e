"""Running what is to be trained, one recipe or several in a row, with what a person and a program are told of it."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from voxsphere.core.errors import BadInput

if TYPE_CHECKING:
    from voxsphere.train.finish import Finished
    from voxsphere.train.recipe import Recipe
    from voxsphere.train.run import Outcome
    from voxsphere.train.stages import Stages

STOPPED = 143
"""The exit status of a run that was asked to stop and has been saved: that of a process ended by SIGTERM."""

Finish = Callable[["Recipe", Path, Callable[[int], None]], "Finished"]


@dataclass(frozen=True)
class How:
    """What decides how a run is made, and nothing of what it learns."""

    workers: int | None
    cpu: bool
    save_seconds: float = 300.0
    save_steps: int | None = None


def check_device(device: str) -> None:
    """`BadInput` unless it is a device that may be asked for."""
    if device not in ("auto", "cpu"):
        raise BadInput(f"--device {device}: auto takes a GPU where there is one, cpu leaves it alone")


def first() -> bool:
    """Whether this process is the one that talks: the first of several, or the only one."""
    return os.environ.get("RANK", "0") == "0"


def run_all(
    chosen: "Recipe | Stages", folder: Path, how: How, *, as_json: bool, finish_last: Finish | None = None
) -> list[tuple["Outcome", "Finished"]]:
    """Train the recipe, or every stage, and finish each; nothing but the first process gets what came of it.

    A run that was asked to stop ends the program with `STOPPED`. `finish_last` finishes the recipe, or the last stage.
    """
    from voxsphere.cli import show
    from voxsphere.train.finish import finish
    from voxsphere.train.stages import Stages

    def plainly(recipe: "Recipe", run: Path, progress: Callable[[int], None]) -> "Finished":
        return finish(recipe, run, progress=progress)

    stages = chosen if isinstance(chosen, Stages) else None
    if stages is not None and first():
        stages.claim(folder)
    outcomes: Iterable[tuple[Recipe, Outcome]]
    if isinstance(chosen, Stages):
        last, outcomes = chosen.recipes[-1], chosen.in_turn(folder, lambda recipe, run: _run(recipe, run, how))
    else:
        last, outcomes = chosen, [(chosen, _run(chosen, folder, how))]
    made: list[tuple[Outcome, Finished]] = []
    for number, (recipe, outcome) in enumerate(outcomes, 1):
        if not outcome.finished:
            _stopped(folder, outcome, stage=None if stages is None else number, as_json=as_json)
        if first():
            finishing = finish_last if finish_last is not None and recipe is last else plainly
            with show.progress("judging held-out speakers") as progress:
                made.append((outcome, finishing(recipe, outcome.folder, progress)))
            if not as_json:
                show.trained(*made[-1])
    return made


def told_of(folder: Path, made: Sequence[tuple["Outcome", "Finished"]], *, staged: bool) -> dict[str, Any]:
    """What a program is told: of stages what it is told of the last one, and of each under "stages"."""
    each = [_told(outcome, finished) for outcome, finished in made]
    return {**each[-1], "run": str(folder), "stages": each} if staged else each[-1]


def _run(recipe: "Recipe", folder: Path, how: How) -> "Outcome":
    from voxsphere.cli import show
    from voxsphere.train.run import train

    with show.training(recipe.name, quiet=not first()) as (watch, told):
        told(f"run folder {folder}")
        return train(
            recipe, folder, workers=how.workers, cpu=how.cpu, save_seconds=how.save_seconds, save_steps=how.save_steps,
            watch=watch, told=told,
        )  # fmt: skip


def _stopped(folder: Path, outcome: "Outcome", *, stage: int | None, as_json: bool) -> None:
    in_stage = "" if stage is None else f" of stage {stage}"
    typer.echo(
        f"voxsphere: stopped and saved at step {outcome.step} of {outcome.steps}{in_stage}; run it again to go on",
        err=True,
    )
    if as_json and first():
        numbered = {} if stage is None else {"stage": stage}
        stopped = {"run": str(folder), "state": "stopped", **numbered, "step": outcome.step, "steps": outcome.steps}
        print(json.dumps(stopped), flush=True)
    raise typer.Exit(STOPPED)


def _told(outcome: "Outcome", finished: "Finished") -> dict[str, Any]:
    return {
        "run": str(outcome.folder),
        "state": "finished",
        "model": str(finished.model),
        "report": str(finished.page),
        "steps": outcome.steps,
        "resumed_at": outcome.resumed_at,
        "broken": outcome.broken,
        "held_out": finished.results.to_json(),
    }
