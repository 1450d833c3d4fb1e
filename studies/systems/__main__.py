"""The studies of the five reference systems: runs their rows, compares them, and has docs/results.md made.

    python -m studies.systems run NAME [ROW…] --jobs 1      # what is not stored yet; goes on where it broke
    python -m studies.systems floor NAME                    # what is to be beaten: an untrained copy, and no network
    python -m studies.systems figures NAME                  # compare all that is stored; run and floor end with this
    python -m studies.systems status                        # what is stored of every study
    python -m studies.systems page                          # docs/results.md; --check exits with 1 if it differs

`--smoke --place FOLDER` rehearses a study in seconds, on synthetic voices. Runs and the system's input form lie in the
cache under `studies/systems/NAME`, what is stored under `studies/outputs/systems/NAME`.
"""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from studies import pool, results
from studies.systems import SYSTEMS, named
from studies.systems.figures import REPLICATES, figures, numbers_of, sides_of
from studies.systems.performing import perform
from studies.systems.place import Place
from studies.systems.preparing import prepare as make_form
from studies.systems.store import Store
from studies.systems.study import Row, Study, Told
from voxsphere.core.errors import BadInput
from voxsphere.core.files import write_json

app = typer.Typer(add_completion=False)
System = Annotated[str, typer.Argument(metavar="NAME", help=", ".join(SYSTEMS))]
Folder = Annotated[Path | None, typer.Option("--place", help="Where runs and outputs go; else cache and outputs.")]
Smoke = Annotated[bool, typer.Option("--smoke", help="Everything in seconds, on synthetic voices: a rehearsal.")]
Jobs = Annotated[int, typer.Option(help="So many runs at once, a thread each.")]


@app.command()
def run(
    name: System,
    rows: Annotated[list[str] | None, typer.Argument(metavar="ROW", help="These alone.")] = None,
    seeds: Annotated[str, typer.Option(help="These of their seeds alone, by commas.")] = "",
    jobs: Jobs = 1,
    folder: Folder = None,
    smoke: Smoke = False,
) -> None:
    """Train and score what is not stored yet, and compare all that is stored."""
    study = named(name)
    wanted = [study.row(each) for each in rows] if rows else list(study.rows)
    asked = {int(seed) for seed in seeds.split(",")} if seeds else {seed for row in wanted for seed in row.seeds}
    _run(study, Place.of(name, folder, smoke=smoke), wanted, asked, jobs)


@app.command()
def floor(name: System, jobs: Jobs = 1, folder: Folder = None, smoke: Smoke = False) -> None:
    """Score what is to be beaten, as far as it is not stored yet."""
    study = named(name)
    every = {seed for row in study.floors for seed in row.seeds}
    _run(study, Place.of(name, folder, smoke=smoke), list(study.floors), every, jobs)


@app.command(name="figures")
def compare(name: System, folder: Folder = None, smoke: Smoke = False) -> None:
    """Compare all that is stored."""
    study, place = named(name), Place.of(name, folder, smoke=smoke)
    found = figures(study, Store(place.out), replicates=REPLICATES // 10 if smoke else REPLICATES)
    write_json(place.out / "figures.json", found)
    for row, beaten in found["beats"].items():
        print(row, *(f"beats {other}: {_WORDS[won]}" for other, won in beaten.items()), sep=", ")


@app.command()
def prepare(name: System, folder: Folder = None, smoke: Smoke = False, again: bool = False) -> None:
    """Write the corpus in the system's own input form; `--again` where that was made before."""
    make_form(named(name), Place.of(name, folder, smoke=smoke), again=again)


@app.command()
def status() -> None:
    """Say what is stored of every study, and what is not."""
    for name in SYSTEMS:
        try:
            study = named(name)
        except BadInput as error:
            print(error)
            continue
        store = Store(Place.of(name).out)
        every = [(row.name, seed) for row in (*study.floors, *study.rows) for seed in row.seeds]
        left = [f"{row} {seed}" for row, seed in every if not store.done(row, seed)]
        print(f"{name}: {len(every) - len(left)} of {len(every)} runs stored; left: {', '.join(left) or 'none'}")


@app.command()
def page(check: Annotated[bool, typer.Option("--check")] = False) -> None:
    """Write docs/results.md, or compare it."""
    results.run(check)


_WORDS = {True: "yes", False: "no", None: "not run"}


def _run(study: Study, place: Place, rows: list[Row], seeds: set[int], jobs: int) -> None:
    make_form(study, place)
    store = Store(place.out)
    _settle(study, place, store)
    runs = [(row.name, seed) for row in rows for seed in (row.seeds[:1] if place.smoke else row.seeds) if seed in seeds]
    broken = pool.run([_task(study, place, store, *each) for each in runs if not store.done(*each)], jobs)
    found = figures(study, store, replicates=REPLICATES // 10 if place.smoke else REPLICATES)
    write_json(place.out / "figures.json", found)
    if broken:
        raise BadInput(f"{len(broken)} runs broke off, the first: {broken[0]}; run it again to make up for them")


def _task(study: Study, place: Place, store: Store, row: str, seed: int) -> pool.Task:
    def done(told: Told) -> None:
        store.add(row, seed, told, order=study.names)
        shown = {key: value for key, value in told.items() if key not in ("scores", "decisions")}
        print(row, seed, shown, flush=True)

    def broke(reason: str) -> None:
        store.add_broken(row, seed, reason, order=study.names)

    # A copy of the place leaves behind what this process has read.
    return pool.Task(f"{row}, seed {seed}", partial(perform, replace(place), study.name, row, seed), done, broke)


def _settle(study: Study, place: Place, store: Store) -> None:
    """Keep who speaks in the lists and sets, before anything is told of them."""
    for name, tested in study.lists(place).items():
        store.set_list(name, sides_of(tested))
    for name, manifest in study.sets(place).items():
        store.set_set(name, numbers_of(manifest))


if __name__ == "__main__":
    try:
        app()
    except BadInput as error:
        sys.exit(f"error: {error}")
