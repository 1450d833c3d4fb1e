"""Is it the loader or the device that a training run waits for? Each is timed alone, then both together."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

from voxsphere.data.batch import Batch
from voxsphere.data.loader import load
from voxsphere.train.assembly import accelerator_of, assemble
from voxsphere.train.loop import steps
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Progress


@dataclass(frozen=True)
class Loading:
    """Examples a second: of the loader alone, of the device fed from memory, and of both together.

    `kept` is the share of the device's own speed that is left when real batches feed it.
    """

    batch_size: int
    workers: int
    loader: float
    device: float
    together: float

    @property
    def kept(self) -> float:
        """together / device."""
        return self.together / self.device

    @property
    def bottleneck(self) -> Literal["loader", "device"]:
        """Which of the two the other waits for."""
        return "loader" if self.loader < self.device else "device"

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return asdict(self) | {"kept": self.kept, "bottleneck": self.bottleneck}


def loading_speed(
    recipe: Recipe,
    *,
    workers: int,
    batches: int = 20,
    cpu: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Loading:
    """Time `batches` batches of the recipe each way, after what was fetched ahead is used up. Nothing is saved."""
    recipe.check()
    accelerator = accelerator_of(recipe, cpu=cpu)
    made = assemble(recipe, recipe.data(), accelerator)
    objective, optimizer = accelerator.prepare(made.objective, made.optimizer)

    def fresh() -> Iterator[Batch]:
        return load(made.items, made.plan, first=0, share=made.share, workers=workers)

    def updates(fed: Iterator[Batch]) -> Iterator[Any]:
        return steps(
            objective, optimizer, fed, accelerator,
            progress=lambda done: Progress(done, 10**6, 10**6), learning_rate=made.learning_rate,
            clip=recipe.clip, pieces=recipe.accumulate,
        )  # fmt: skip

    one = next(fresh())
    warm, count = _rounds(workers, batches)
    alone = _pace(fresh(), warm, count, progress, each=recipe.accumulate)
    device = _pace(updates(_again(one)), 3, batches, progress)
    both = _pace(updates(fresh()), warm, count, progress)
    rates = (recipe.batch_size / pace for pace in (alone, device, both))
    return Loading(recipe.batch_size, workers, *rates)


def batches_to_time(workers: int, batches: int) -> int:
    """How many batches `loading_speed` takes in all."""
    return 2 * sum(_rounds(workers, batches)) + 3 + batches


def _rounds(workers: int, batches: int) -> tuple[int, int]:
    """The batches to warm up with, and to time: workers deliver in turns, in bunches, so whole rounds of them."""
    return 3 + 2 * workers, -(-batches // max(1, workers)) * max(1, workers)


def _again(batch: Batch) -> Iterator[Batch]:
    while True:
        yield batch


def _pace(source: Iterator[Any], warm: int, count: int, progress: Callable[[int], None], each: int = 1) -> float:
    """The seconds that a batch takes, or `each` pieces of one: `count` of them, after `warm`."""
    begun = 0.0
    for i in range(warm + count):
        if i == warm:
            begun = time.perf_counter()
        for _ in range(each):
            next(source)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        progress(1)
    return (time.perf_counter() - begun) / count
