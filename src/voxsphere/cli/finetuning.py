"""The verb finetune: a model taught new speakers, and whether that was worth it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxsphere.cli.running import How, check_device, first, run_all, told_of

if TYPE_CHECKING:
    from voxsphere.train.finish import Finished
    from voxsphere.train.recipe import Recipe


def finetune(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder a speaker, or a manifest.")],
    model: Annotated[
        str, typer.Option("--from", metavar="MODEL", help="A known name, a model folder, a run, an address, a hub id.")
    ],
    freeze: Annotated[
        list[str] | None, typer.Option(metavar="PART", help="Leave a part as it is: features, encoder, encoder.stem …")
    ] = None,
    large_margin: Annotated[
        bool, typer.Option("--large-margin", help="End with a stage of longer crops and a wider margin.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change an option of the recipe; 2.NAME=VALUE of stage 2."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; else runs/NAME-HASH.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that make batches.")] = None,
    device: Annotated[str, typer.Option(help="auto, or cpu.")] = "auto",
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 unless it is shown to be better.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Teach a model new speakers, and say whether it is better for it; the same command goes on where it broke."""
    from voxsphere.cli import show
    from voxsphere.recipes.transfer import transfer
    from voxsphere.train.finish import finish
    from voxsphere.train.origin import model_folder
    from voxsphere.train.stages import Stages

    check_device(device)
    before = model_folder(model)
    chosen = transfer(data, before, model, freeze=tuple(freeze or ()), large_margin=large_margin)
    chosen = chosen.with_options(*(set_ or []))
    folder = out or Path("runs") / f"{chosen.name}-{chosen.hash}"

    def judged(recipe: "Recipe", run: Path, progress: Callable[[int], None]) -> "Finished":
        return finish(recipe, run, beside=before, progress=progress)

    made = run_all(chosen, folder, How(workers, device == "cpu"), as_json=as_json, finish_last=judged)
    if not first():
        return
    said = made[-1][1].verdict
    assert said is not None
    if as_json:
        told = told_of(folder, made, staged=isinstance(chosen, Stages)) | {"verdict": said.to_json()}
        print(json.dumps(told, allow_nan=False))
    else:
        show.verdict_on(said)
    if check and said.answer != "better":
        raise typer.Exit(1)
