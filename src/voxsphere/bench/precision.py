"""What half precision saves, and what it costs: the same recipe for an epoch in each, as time, memory and errors."""

import multiprocessing
import os
import pickle
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.data.manifests import open_manifest
from voxsphere.evaluate.results import Results, evaluate
from voxsphere.evaluate.scoring import score
from voxsphere.extract.corpus import extract
from voxsphere.pretrained import open_folder
from voxsphere.train.finish import finish
from voxsphere.train.logbook import read_logbook
from voxsphere.train.recipe import Recipe
from voxsphere.train.run import train

Compute = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class Precision:
    """What training in one precision took, and what came of it.

    `minutes` are those of the whole training, loading and validation included, the median over `rounds`; `megabytes`
    the most that torch held on the GPU, or the process on a CPU. Rates are fractions; `train_accuracy` and
    `valid_accuracy` (on recordings left out of learnt speakers) are None where they are not to be had.
    """

    compute: Compute
    minutes: float
    megabytes: float
    rounds: int
    train_accuracy: float | None
    valid_accuracy: float | None
    eer: float
    eer_interval: tuple[float, float] | None
    min_dcf: tuple[float, float]
    tested_on: str

    def to_json(self) -> dict[str, Any]:
        """The measurement as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class _Run:
    """One training in a process of its own: its recipe, and the list to test it on, if not held-out speakers."""

    recipe: Recipe
    test: tuple[Path, Path] | None
    workers: int | None
    cpu: bool


def computes(*, cpu: bool = False) -> tuple[Compute, ...]:
    """The precisions that can be trained in here."""
    return ("fp32", "bf16") if cpu or not torch.cuda.is_available() else ("fp32", "bf16", "fp16")


def precisions(
    recipe: Recipe,
    wanted: Sequence[Compute],
    *,
    epochs: int = 1,
    rounds: int = 1,
    test: tuple[Path, Path] | None = None,
    workers: int | None = None,
    cpu: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Precision, ...]:
    """Train `recipe` for `epochs` in each precision, `rounds` times in turns there and back, each in its own process.

    The errors are those of the first round on held-out speakers, or on `test`, a manifest and a list of its trials. In
    turns (a, b, b, a, …) a machine that grows busier slows all alike. `BadInput` where the recipe cannot be trained, or
    names classes that another process cannot find.
    """
    short = replace(recipe, epochs=epochs)
    runs = {each: _Run(replace(short, compute=each), test, workers, cpu) for each in wanted}
    _check(runs.values())
    found: dict[Compute, list[Precision]] = {each: [] for each in wanted}
    for number in range(rounds):
        for each in wanted if number % 2 == 0 else tuple(reversed(wanted)):
            found[each].append(_apart(runs[each]))
            progress(1)
    return tuple(
        replace(of[0], minutes=statistics.median(one.minutes for one in of), rounds=rounds) for of in found.values()
    )


def _check(runs: Any) -> None:
    for run in runs:
        run.recipe.check()
        try:
            pickle.dumps(run)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise BadInput(f"bench precision: the recipe holds what no other process can find ({error})") from error


def _apart(run: _Run) -> Precision:
    """The run in a process of its own, so that its memory is its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_end_with_parent) as pool:
        try:
            return pool.submit(_measured, run).result()
        except BrokenProcessPool as error:
            raise BadInput(f"{run.recipe.compute}: the process was killed, perhaps for want of memory") from error


def _end_with_parent() -> None:
    """Let this process end when its parent does, however that ends; else it waits for more work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    # Not a daemon process: those may not have workers of their own.
    threading.Thread(target=watch, daemon=True).start()


def _measured(run: _Run) -> Precision:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        begun = time.perf_counter()
        train(run.recipe, folder, workers=run.workers, cpu=run.cpu)
        minutes = (time.perf_counter() - begun) / 60
        megabytes = _most_memory(run.cpu)
        judged = [line for line in read_logbook(folder / "logbook.jsonl") if line["kind"] == "validation"][-1]
        made = finish(run.recipe, folder)
        results, told = made.results, "held-out speakers"
        if run.test is not None:
            results, told = _tested(made.model, *run.test, folder), str(run.test[1])
    if not isinstance(results, Results):
        raise BadInput(f"{run.recipe.name}: learns a closed set, which has no EER; give --test and --trials")
    return Precision(
        compute=run.recipe.compute,
        minutes=minutes,
        megabytes=megabytes,
        rounds=1,
        train_accuracy=_right(judged, "error"),
        valid_accuracy=_right(judged, "valid_error"),
        eer=results.eer.value,
        eer_interval=results.eer.interval,
        min_dcf=(results.min_dcf[0].value, results.min_dcf[1].value),
        tested_on=told,
    )


def _right(judged: dict[str, Any], name: str) -> float | None:
    return 1 - float(judged[name]) if name in judged else None


def _most_memory(cpu: bool) -> float:
    if not cpu and torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    # Kilobytes on Linux, bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _tested(model: Path, manifest: Path, trials: Path, folder: Path) -> Results:
    listed, whole = Trials.load(trials), open_manifest(manifest)
    named = Manifest(tuple(utterance for utterance in whole if utterance.id in set(listed.ids)))
    extract(open_folder(model), named, folder / "test.safetensors")
    return evaluate(score(listed, Embeddings.load(folder / "test.safetensors")))
