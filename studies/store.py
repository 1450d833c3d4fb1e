"""What studies keep of their runs: figures as JSON, scores two bytes each, decisions a bit each, all of it whole.

`runs.json` holds, of each row by name and of each kind of run, what the run of each key (a seed, a rate) said. Arrays
lie in files of their own, one a row and list, a member a seed.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from voxsphere.core.files import atomic, read_json, write_json

STEP = 1e-4
"""Cosines are kept in units of this."""

Runs = dict[str, dict[str, dict[str, Any]]]


def slug(name: str) -> str:
    """A name as one of a file."""
    return name.lower().replace(", ", "-").replace(" ", "-").replace("/", "-")


def read_runs(folder: Path) -> Runs:
    """Of each row by name, of each kind of run, of each key: what was told. Nothing where nothing was kept."""
    path = folder / "runs.json"
    return dict(read_json(path)) if path.exists() else {}


def add_run(folder: Path, name: str, kind: str, key: str, told: object, *, order: Sequence[str]) -> None:
    """Put down what one run told, in the order of the rows' names; several processes may do so."""

    def added(runs: Runs) -> None:
        runs.setdefault(name, {}).setdefault(kind, {})[key] = told

    change_runs(folder, added, order=order)


def change_runs(folder: Path, change: Callable[[Runs], None], *, order: Sequence[str]) -> None:
    """Read, change and write `runs.json` with nobody in between."""
    with alone(folder):
        runs = read_runs(folder)
        change(runs)
        write_json(folder / "runs.json", {each: runs[each] for each in order if each in runs})


def add_scores(path: Path, seed: int, scores: Float64[np.ndarray, " trials"]) -> None:
    """Keep a seed's cosines among those of other seeds."""
    known = read_scores(path) | {seed: scores}
    _write(path, {seed: np.rint(values / STEP).astype(np.int16) for seed, values in known.items()})


def read_scores(path: Path) -> dict[int, Float64[np.ndarray, " trials"]]:
    """The cosines of each seed; nothing where nothing was kept."""
    return {seed: values * STEP for seed, values in _read(path).items()}


def add_decisions(path: Path, seed: int, right: Bool[np.ndarray, " utterances"]) -> None:
    """Keep which of a seed's decisions were right, among those of other seeds."""
    count = len(right)
    known = read_decisions(path, count) | {seed: np.asarray(right, dtype=bool)}
    _write(path, {seed: np.packbits(values) for seed, values in known.items()})


def read_decisions(path: Path, count: int) -> dict[int, Bool[np.ndarray, " utterances"]]:
    """Which of `count` decisions were right, of each seed; nothing where nothing was kept."""
    return {seed: np.unpackbits(values, count=count).astype(bool) for seed, values in _read(path).items()}


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold this folder, which is made where it is not there; waits until no other process does."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, of_seed: dict[int, np.ndarray]) -> None:
    with atomic(path, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{f"seed{seed}": of_seed[seed] for seed in sorted(of_seed)})


def _read(path: Path) -> dict[int, np.ndarray]:
    if not path.exists():
        return {}
    with np.load(path) as stored:
        return {int(key.removeprefix("seed")): stored[key] for key in stored.files}
