"""Batches of a run from any step on: which examples (the plan), and the workers that make them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader

from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream
from voxsphere.data.batch import Batch, Item, collate
from voxsphere.data.dataset import Draw, Items
from voxsphere.data.examples import Examples
from voxsphere.data.samplers import Sampler


@dataclass(frozen=True)
class Plan:
    """Which examples each step of a run takes: a pure function of the step."""

    sampler: Sampler
    examples: Examples
    durations: tuple[float | None, ...]
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """How many batches an epoch has."""
        return self.sampler.batches_per_epoch

    def from_step(self, first: int) -> Iterator[list[Draw]]:
        """The draws of step `first` and of all that follow, for ever."""
        epoch, step = divmod(first, self.steps_per_epoch)
        while True:
            rows = self.sampler.batches(epoch)
            for position in range(step, self.steps_per_epoch):
                yield self._deal(epoch, position, rows[position])
            epoch, step = epoch + 1, 0

    def _deal(self, epoch: int, position: int, rows: np.ndarray) -> list[Draw]:
        random = stream("deal", self.seed, epoch, position)
        seconds = self.examples.seconds([self.durations[row] for row in rows], random)
        seeds, places = random.integers(2**62, size=len(rows)), self.examples.places
        return [Draw(int(row), int(seed), seconds, places) for row, seed in zip(rows, seeds, strict=True)]


@dataclass(frozen=True)
class Share:
    """The part of each batch that one process takes: rank `rank` of `world`, in `micro` pieces one after the other."""

    rank: int = 0
    world: int = 1
    micro: int = 1

    def check(self, batch_size: int, crops: int = 1) -> None:
        """`BadInput` unless a batch can be shared out evenly, `crops` of each utterance together."""
        if batch_size % (self.world * self.micro * crops):
            of_each = f", in crops of {crops} an utterance" if crops > 1 else ""
            raise BadInput(
                f"a batch of {batch_size} cannot be shared out evenly to {self.world} processes × {self.micro} pieces"
                f"{of_each}; take a batch_size that can"
            )

    def pieces(self, draws: list[Draw]) -> Iterator[list[Draw]]:
        """This process's pieces of a batch, in order."""
        size = len(draws) // (self.world * self.micro)
        first = self.rank * self.micro * size
        yield from (draws[first + i * size : first + (i + 1) * size] for i in range(self.micro))


def load(items: Items, plan: Plan, *, first: int, share: Share, workers: int = 0, pin: bool = False) -> Iterator[Batch]:
    """The batches of this process from step `first` on, for ever, `share.micro` a step.

    `workers` processes make them ahead (0: this one makes them when asked). Their number changes no bit of a batch.
    Raises `BadInput` where one file after the other cannot be read, and where one of the processes was killed.
    """
    pieces = (piece for draws in plan.from_step(first) for piece in share.pieces(draws))
    loader: DataLoader[Item] = DataLoader(
        items,  # type: ignore[arg-type]  # torch asks for no more than the two methods that Items has
        batch_sampler=_Endless(pieces),
        collate_fn=collate,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=pin,
        worker_init_fn=_leave_signals_to_the_run,
        generator=torch.Generator(),  # or it would draw a number from torch's own, which is the loop's
    )
    try:
        with killed_workers_told():
            yield from loader
    except (ConnectionError, EOFError, FileNotFoundError) as error:
        # What is left of a worker that was killed while it handed something over; its own errors say where they arose.
        if not workers or "in DataLoader worker process" in str(error):
            raise
        raise BadInput(_KILLED) from error
    except BadInput as error:
        # A worker's error arrives with its whole traceback as its text; the last line is what was said.
        raise BadInput(str(error).strip().splitlines()[-1].partition("BadInput: ")[2] or str(error)) from None


@contextmanager
def killed_workers_told() -> Iterator[None]:
    """`BadInput` where a worker of `load` was killed, which torch says wherever this process happens to be."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):
            raise
        raise BadInput(_KILLED) from error


_KILLED = (
    "a process that makes batches was killed, most often for want of memory; run it again to go on, with fewer "
    "--workers, or with smaller batches (--set batch_size=…)"
)


class _Endless:
    """torch's loader asks its batch sampler for an iterator, once."""

    def __init__(self, pieces: Iterator[list[Draw]]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[list[Draw]]:
        return self.pieces


def _leave_signals_to_the_run(worker: int) -> None:
    # A launcher or a terminal sends them to all processes; a worker that died of one would take the run with it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
