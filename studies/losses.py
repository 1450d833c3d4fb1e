"""Every loss, the same small network and the same budget: trains, compares, and makes docs/losses.md.

    python -m studies.losses run                 # all rows, about an hour on two cores; goes on where it was broken off
    python -m studies.losses run NAME… --seeds 0 # these alone, fewer seeds, into the same files
    python -m studies.losses floor               # what is to be beaten: the network untrained, and no network
    python -m studies.losses eval                # once, afterwards: the corpus's trial lists, for the best five
    python -m studies.losses page                # docs/losses.md and its pictures; --check exits with 1 if they differ

`run` first finds each loss's learning rate by short runs of another seed, judged by another draw of held-out
speakers, then trains the seeds; what is stored is not run again. `--smoke --place FOLDER` rehearses it in seconds, on
synthetic voices. Stored under `studies/outputs/losses` are `runs.json`, the scores of the held-out trials and of the
lists, and `figures.json` and `eval.json`, which the page is made of.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from studies import losses_page
from studies.losses_catalogue import REFERENCE, ROWS, Row
from studies.losses_figures import draw
from studies.losses_runs import Study, floor, pilot, tested, trained
from studies.losses_store import Store, best_rate, ranking
from studies.pages import publish
from studies.pieces import corpus, packed
from studies.pool import Task, pool
from studies.pool import run as work
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, write_json
from voxsphere.core.parts import nearest
from voxsphere.core.trials import Trials

app = typer.Typer(add_completion=False)
Place = Annotated[Path | None, typer.Option(help="Where runs and outputs go; else the cache and studies/outputs.")]
Smoke = Annotated[bool, typer.Option("--smoke", help="Everything in seconds, on synthetic voices: a rehearsal.")]
Jobs = Annotated[int, typer.Option(help="So many runs at once, a thread each.")]
BEST = 5
FLOOR = ("mean and std", "untrained")
NAMES = tuple(row.name for row in ROWS)


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument()] = None,
    seeds: Annotated[str, typer.Option(help="Which seeds, by commas.")] = "0,1,2",
    jobs: Jobs = 2,
    place: Place = None,
    smoke: Smoke = False,
) -> None:
    """Train what is not stored yet, the rates first, and compare all that is stored."""
    study, rows = Study.of(place, smoke=smoke), [named(name) for name in names or NAMES]
    store = Store(study.out)
    if not smoke:
        packed()  # once, before there are several processes
    store.set_held_out(study.held_out)
    wanted = [seed for seed in study.seeds if str(seed) in seeds.split(",")]
    broken = work(_rates(study, store, rows), jobs)
    broken += work(_runs(study, store, rows, wanted), jobs)
    compare(place, smoke)
    if broken:
        raise BadInput(f"{len(broken)} runs broke off, the first: {broken[0]}; run it again to make up for them")


@app.command(name="floor")
def unlearnt(place: Place = None, smoke: Smoke = False) -> None:
    """Score what is to be beaten: the untrained network, and no network at all."""
    study = Study.of(place, smoke=smoke)
    store = Store(study.out)
    store.set_held_out(study.held_out)
    for name, scores in floor(study).items():
        store.add_scores(name, 0, scores)
    compare(place, smoke)


@app.command()
def compare(place: Place = None, smoke: Smoke = False) -> None:
    """Compare all that is stored; `run` and `floor` end with this."""
    out = Study.of(place, smoke=smoke).out
    write_json(out / "figures.json", figures(Store(out)))


@app.command(name="eval")
def evaluate(jobs: Jobs = 2, place: Place = None, smoke: Smoke = False) -> None:
    """Score the corpus's trial lists by the losses that held-out speakers found best, every seed; once."""
    study = Study.of(place, smoke=smoke)
    store, best = Store(study.out), ranking(read_json(study.out / "figures.json"), NAMES)[:BEST]
    lists = {path.stem.removeprefix("trials_"): path for path in sorted(corpus().glob("trials_*.txt"))}
    with pool(jobs) as processes:
        for name in best:
            each = processes.map(partial(tested, study, named(name), lists), study.seeds)
            for seed, found in zip(study.seeds, each, strict=True):
                for key, scores in found.items():
                    store.add_scores(name, seed, scores, kind=f"eval/{key}")
    write_json(
        study.out / "eval.json", {"best": best, "lists": {key: _listed(store, best, lists[key]) for key in lists}}
    )


@app.command()
def page(check: Annotated[bool, typer.Option("--check")] = False) -> None:
    """Write the page and its pictures, or compare them."""
    files = losses_page.files()
    old = set(losses_page.PICTURES.glob("*.svg")) - set(files)
    publish(files, check=check, outdated=old)


def named(name: str) -> Row:
    """The row of this name; `BadInput` lists those there are."""
    if name not in NAMES:
        raise BadInput(f"no loss {name!r} in the study{nearest(name, NAMES)}")
    return ROWS[NAMES.index(name)]


def figures(store: Store, *, replicates: int = 1000) -> dict[str, Any]:
    """What the page needs of the stored scores: each loss with its interval, and how it differs from two others."""
    trials, speaker_of = store.held_out
    scores = {name: list(found.values()) for name in (*FLOOR, *NAMES) if (found := store.scores(name))}
    drawn = draw(trials, speaker_of, scores, replicates=replicates)
    learnt = [name for name in scores if name in NAMES]
    best = min(learnt, key=lambda name: drawn.value[name], default=None)
    told: dict[str, dict[str, Any]] = {}
    for name, value in drawn.value.items():
        told[name] = {"eer": value, "interval": drawn.interval(name), "seeds": len(scores[name])}
        for key, other in (("to_best", best), ("to_reference", REFERENCE)):
            told[name][key] = drawn.difference(name, other) if other in scores else None
    assert trials.target is not None
    counts = {"trials": len(trials), "targets": int(trials.target.sum()), "speakers": len(set(speaker_of.values()))}
    return {"best": best, "counts": counts, "replicates": replicates, "losses": told}


def _listed(store: Store, best: list[str], path: Path) -> dict[str, Any]:
    """The figures of one trial list."""
    trials, key = Trials.load(path), path.stem.removeprefix("trials_")
    # The corpus's ids are `data set/speaker/…`.
    speaker_of = {name: "/".join(name.split("/")[:2]) for name in trials.ids}
    drawn = draw(trials, speaker_of, {name: list(store.scores(name, kind=f"eval/{key}").values()) for name in best})
    told = {name: {"eer": drawn.value[name], "interval": drawn.interval(name)} for name in best}
    return {"trials": len(trials), "speakers": len(set(speaker_of.values())), "losses": told}


def _rates(study: Study, store: Store, rows: list[Row]) -> Iterator[Task]:
    """The pilot's runs that are not stored."""
    done = store.runs
    for row in rows:
        for rate in study.rates:
            if f"{rate:g}" not in done.get(row.name, {}).get("rates", {}):
                yield _task(store, row, "rates", f"{rate:g}", partial(pilot, study, row, rate))


def _runs(study: Study, store: Store, rows: list[Row], seeds: list[int]) -> Iterator[Task]:
    """The runs that count and are not stored, at the rate that the pilot found best; a loss that broke off has none."""
    done = store.runs
    for row in rows:
        told = done.get(row.name, {})
        if (rate := best_rate(told)) is None:
            print(f"{row.name}: the pilot went to its end at no rate, and the loss is left out", file=sys.stderr)
            continue
        for seed in seeds:
            if str(seed) not in told.get("seeds", {}):
                yield _task(store, row, "seeds", str(seed), partial(trained, study, row, seed, rate))


def _task(store: Store, row: Row, kind: str, key: str, work: Callable[[], dict[str, Any]]) -> Task:
    """A run that is stored as soon as it is done."""

    def done(told: dict[str, Any]) -> None:
        if (scores := told.pop("scores", None)) is not None:
            store.add_scores(row.name, int(key), np.asarray(scores))
        store.add_run(row.name, kind, key, told, order=NAMES)
        print(row.name, kind, key, told, flush=True)

    return Task(f"{row.name}, {kind} {key}", work, done)


if __name__ == "__main__":
    try:
        app()
    except BadInput as error:
        sys.exit(f"error: {error}")
