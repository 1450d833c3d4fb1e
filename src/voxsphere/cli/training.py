"""The verbs of training: train, recipes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from voxsphere.train.finish import Finished
    from voxsphere.train.recipe import Recipe
    from voxsphere.train.run import Outcome

STOPPED = 143
"""The exit status of a run that was asked to stop and has been saved: that of a process ended by SIGTERM."""


def train(
    recipe: Annotated[
        str,
        typer.Argument(help="A recipe's name, a .py file, a recipe.json, a run to go on with, or a folder a speaker."),
    ],
    data: Annotated[Path | None, typer.Option(help="Learn from this manifest instead of the recipe's own.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change an option of the recipe.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; else runs/NAME-HASH.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that make batches.")] = None,
    device: Annotated[str, typer.Option(help="auto, or cpu.")] = "auto",
    save_seconds: Annotated[float, typer.Option(min=0.0, help="Save so often, and at each epoch's end.")] = 300.0,
    save_steps: Annotated[int | None, typer.Option(min=1, help="Save every so many steps instead.")] = None,
    force_test_list: Annotated[
        bool, typer.Option("--force-test-list", help="Validate on a test list; the card will say so.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Train a model; the same command goes on where a broken run ended."""
    from inspect import signature

    from voxsphere.cli import show
    from voxsphere.core.errors import BadInput
    from voxsphere.recipes import find
    from voxsphere.train.run import train as run

    if device not in ("auto", "cpu"):
        raise BadInput(f"--device {device}: auto takes a GPU where there is one, cpu leaves it alone")
    settings = [*(set_ or []), *(["data.allow_test_list=true"] if force_test_list else [])]
    chosen, folder = find(recipe, data=data)
    if force_test_list and "allow_test_list" not in signature(getattr(chosen.data, "func", chosen.data)).parameters:
        raise BadInput(f"--force-test-list: the data of recipe {chosen.name} have no list of trials to choose")
    chosen = chosen.with_options(*settings)
    folder = out or folder or Path("runs") / f"{chosen.name}-{chosen.hash}"
    with show.training(chosen.name, quiet=not _first()) as (watch, told):
        told(f"run folder {folder}")
        outcome = run(
            chosen, folder, workers=workers, cpu=device == "cpu", save_seconds=save_seconds, save_steps=save_steps,
            watch=watch, told=told,
        )  # fmt: skip
    if not outcome.finished:
        typer.echo(
            f"voxsphere: stopped and saved at step {outcome.step} of {outcome.steps}; run it again to go on", err=True
        )
        if as_json and _first():
            stopped = {"run": str(outcome.folder), "state": "stopped", "step": outcome.step, "steps": outcome.steps}
            print(json.dumps(stopped), flush=True)
        raise typer.Exit(STOPPED)
    if _first():
        _finish(chosen, outcome, as_json=as_json)


def recipes(
    name: Annotated[str | None, typer.Argument(help="Show everything this recipe says.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """The recipes known by name, or all of one."""
    from voxsphere.cli import show
    from voxsphere.recipes import RECIPES, find

    if name is not None:
        found, _ = find(name)
        print(json.dumps(found.to_json(), indent=None if as_json else 2))
    elif as_json:
        print(json.dumps({"recipes": {name: (made.__doc__ or "").strip() for name, made in RECIPES.items()}}))
    else:
        show.recipes(RECIPES)


VERBS: tuple[Callable[..., None], ...] = (train, recipes)


def _first() -> bool:
    """Whether this process is the one that talks: the first of several, or the only one."""
    import os

    return os.environ.get("RANK", "0") == "0"


def _finish(recipe: "Recipe", outcome: "Outcome", *, as_json: bool) -> None:
    from voxsphere.cli import show
    from voxsphere.train.finish import finish

    with show.progress("judging held-out speakers") as progress:
        finished = finish(recipe, outcome.folder, progress=progress)
    if as_json:
        print(json.dumps(_told(outcome, finished), allow_nan=False))
    else:
        show.trained(outcome, finished)


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
