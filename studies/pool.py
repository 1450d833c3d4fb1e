"""Runs of a study in processes of their own, a thread each; what breaks keeps none of the others."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import torch

from voxsphere.core.errors import flattened


@dataclass(frozen=True)
class Task:
    """A run: what to call it, what does it in another process, and what its result is given to in this one."""

    name: str
    work: Callable[[], Any]
    done: Callable[[Any], None]
    broke: Callable[[str], None] = lambda reason: None


def pool(jobs: int) -> ProcessPoolExecutor:
    """So many fresh processes, a thread each."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    fresh = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, mp_context=fresh, initializer=torch.set_num_threads, initargs=(1,))


def run(tasks: Iterable[Task], jobs: int) -> list[str]:
    """Do the tasks, `jobs` at a time, and hand over each result as soon as it is there; says what broke.

    A process that dies (out of memory) takes its pool with it: what was under way or waiting is then done again, each
    in a pool of its own, so that only what kills its own breaks.
    """
    broken, alone = _together(tasks, jobs)
    for task in alone:
        again, dead = _together([task], 1)
        broken += again
        if dead:
            broken.append(_broke(task, "its process died"))
    return broken


def _together(tasks: Iterable[Task], jobs: int) -> tuple[list[str], list[Task]]:
    """What broke, and what was not done as the pool died."""
    broken: list[str] = []
    left: list[Task] = []
    with pool(jobs) as processes:
        waiting = {processes.submit(task.work): task for task in tasks}
        for future in as_completed(waiting):
            task, error = waiting[future], future.exception()
            if isinstance(error, BrokenProcessPool):
                left.append(task)
            elif error is not None:
                broken.append(_broke(task, f"{type(error).__name__}: {flattened(error)}"))
            else:
                task.done(future.result())
    return broken, left


def _broke(task: Task, reason: str) -> str:
    task.broke(reason)
    line = f"{task.name}: {reason}"
    print(line, file=sys.stderr, flush=True)
    return line
