"""The verbs of training: train, recipes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from voxsphere.cli.running import STOPPED, How, check_device, first, run_all, told_of

__all__ = ["STOPPED", "VERBS", "recipes", "train"]


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

    from voxsphere.core.errors import BadInput
    from voxsphere.recipes import find
    from voxsphere.train.stages import Stages

    check_device(device)
    settings = [*(set_ or []), *(["data.allow_test_list=true"] if force_test_list else [])]
    found, folder = find(recipe, data=data)
    for stage in found.recipes if isinstance(found, Stages) else (found,):
        if force_test_list and "allow_test_list" not in signature(getattr(stage.data, "func", stage.data)).parameters:
            raise BadInput(f"--force-test-list: the data of recipe {stage.name} have no list of trials to choose")
    chosen = found.with_options(*settings)
    folder = out or folder or Path("runs") / f"{chosen.name}-{chosen.hash}"
    how = How(workers=workers, cpu=device == "cpu", save_seconds=save_seconds, save_steps=save_steps)
    made = run_all(chosen, folder, how, as_json=as_json)
    if first() and as_json:
        print(json.dumps(told_of(folder, made, staged=isinstance(chosen, Stages)), allow_nan=False))


def recipes(
    name: Annotated[str | None, typer.Argument(help="Show everything this recipe says.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """The recipes known by name, or all of one."""
    from voxsphere.cli import show
    from voxsphere.recipes import RECIPES, find, listed, one_line_of
    from voxsphere.recipes.systems import FAMILIES

    if name in FAMILIES and not as_json:
        print(one_line_of(name))
    elif name is not None:
        found, _ = find(name)
        print(json.dumps(found.to_json(), indent=None if as_json else 2))
    elif as_json:
        print(json.dumps({"recipes": {name: (made.__doc__ or "").strip() for name, made in RECIPES.items()}}))
    else:
        show.recipes(listed())


VERBS: tuple[Callable[..., None], ...] = (train, recipes)
