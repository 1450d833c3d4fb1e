"""The verbs of measuring: how fast things are on this machine, and what half precision saves.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

from pathlib import Path
from typing import Annotated

import typer

from voxsphere.cli.options import DEFAULT, Json, Model, print_json
from voxsphere.core.errors import BadInput

app = typer.Typer(no_args_is_help=True, help="Measure speed on this machine.")

Named = Annotated[str, typer.Argument(metavar="RECIPE", help="As for `train`.")]
Data = Annotated[Path | None, typer.Option(help="Learn from this manifest instead of the recipe's own.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change an option of the recipe.")
]


@app.command("embed")
def embed(
    model: Model = DEFAULT,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of the wave.")] = 5.0,
    repeats: Annotated[int, typer.Option(min=3, help="Paired repeats.")] = 15,
    as_json: Json = False,
) -> None:
    """Embedding speed on one thread, beside kaldi-native-fbank and the plain network in the same run."""
    from voxsphere.bench.embedding import embedding_speed
    from voxsphere.cli import show, show_bench

    with show.progress("paired runs") as progress:
        speed = embedding_speed(model, seconds=seconds, repeats=repeats, progress=progress)
    print_json(speed.to_json()) if as_json else show_bench.speed(speed)


@app.command("loader")
def loader(
    recipe: Named,
    data: Data = None,
    settings: Settings = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make batches.")] = 1,
    batches: Annotated[int, typer.Option(min=3, help="Batches to time each way.")] = 20,
    as_json: Json = False,
) -> None:
    """Does training wait for the loader or for the device? Examples a second of each alone, and of both together."""
    from voxsphere.bench.loading import batches_to_time, loading_speed
    from voxsphere.cli import show, show_bench
    from voxsphere.recipes import find
    from voxsphere.train.stages import Stages

    found, _ = find(recipe, data=data)
    whole = found.with_options(*(settings or []))
    chosen = whole.recipes[0] if isinstance(whole, Stages) else whole  # the longest stage is the first
    with show.progress("timing", total=batches_to_time(workers, batches)) as progress:
        speed = loading_speed(chosen, workers=workers, batches=batches, progress=progress)
    print_json(speed.to_json()) if as_json else show_bench.loading(speed)


@app.command("precision")
def precision(
    recipe: Named,
    data: Annotated[Path | None, typer.Option(help="Learn from this manifest or folder, not the recipe's own.")] = None,
    settings: Settings = None,
    compute: Annotated[str, typer.Option(help="Which, by commas; all that there are if not given.")] = "",
    epochs: Annotated[int, typer.Option(min=1, help="Epochs to train in each.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="So many times, in turns.")] = 1,
    test: Annotated[Path | None, typer.Option(help="A manifest to test on instead of held-out speakers.")] = None,
    trials: Annotated[Path | None, typer.Option(help="The trials of --test.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that make batches.")] = None,
    device: Annotated[str, typer.Option(help="auto, or cpu.")] = "auto",
    as_json: Json = False,
) -> None:
    """Train a recipe for an epoch in each precision: minutes, memory, accuracy and errors in one table."""
    from voxsphere.bench.precision import computes, precisions
    from voxsphere.cli import show, show_bench
    from voxsphere.cli.running import check_device
    from voxsphere.recipes import find
    from voxsphere.train.stages import Stages

    check_device(device)
    cpu = device == "cpu"
    if (test is None) != (trials is None):
        raise BadInput("--test and --trials go together: a manifest, and the list of its trials")
    tested = None if test is None or trials is None else (test, trials)
    there = computes(cpu=cpu)
    wanted = tuple(each for each in there if each in compute.split(",")) if compute else there
    if strange := [each for each in compute.split(",") if compute and each not in there]:
        raise BadInput(f"--compute {strange[0]}: here there are {', '.join(there)}")
    found, _ = find(recipe, data=data)
    whole = found.with_options(*(settings or []))
    chosen = whole.recipes[0] if isinstance(whole, Stages) else whole
    with show.progress("training", total=rounds * len(wanted)) as progress:
        measured = precisions(
            chosen, wanted, epochs=epochs, rounds=rounds, test=tested, workers=workers, cpu=cpu, progress=progress,
        )  # fmt: skip
    if as_json:
        print_json({"recipe": chosen.name, "epochs": epochs, "precisions": [each.to_json() for each in measured]})
    else:
        show_bench.precisions(measured, epochs)
