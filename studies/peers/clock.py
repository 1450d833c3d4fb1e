"""The command line, the clock and the report that the timed loops share."""

import argparse
import itertools
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SEED = 1986


def arguments(*, nets: tuple[str, ...], augments: tuple[str, ...]) -> argparse.Namespace:
    """The setting that is timed, by the flags of `python -m studies.throughput`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peers", type=Path, help="the folder that `python -m studies.peers.inputs` wrote to")
    parser.add_argument("--net", choices=nets, default="ecapa512")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--augment", choices=augments, default="none")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--compile", action="store_true")
    setting = parser.parse_args()
    setting.peers = setting.peers.resolve()
    return setting


class Clock:
    """Hands out so many batches; notes when each was asked for, how long the wait was, and what the loss came to."""

    def __init__(self, warmup: int, steps: int) -> None:
        self.warmup = warmup
        self.steps = steps
        self.asked: list[float] = []
        self.waited: list[float] = []
        self.losses: list[float] = []

    def over(self, batches: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        """Warm-up and steps from the iterator, which is made anew where it ends."""
        iterator = batches()
        for _ in range(self.warmup + self.steps):
            self.asked.append(time.perf_counter())
            batch = next(iterator, None)
            if batch is None:
                iterator = batches()
                batch = next(iterator)
            self.waited.append(time.perf_counter() - self.asked[-1])
            yield batch
        self.asked.append(time.perf_counter())

    def report(self, setting: argparse.Namespace, *, rows_per_file: int, **facts: object) -> None:
        """Print the setting, the facts and what was measured after the warm-up as one JSON line."""
        marks = self.asked[self.warmup :]
        times = [1000 * (after - before) for before, after in itertools.pairwise(marks)]
        whole = marks[-1] - marks[0]
        rate = setting.batch * self.steps / whole
        few = max(1, min(10, len(self.losses) // 3))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        keys = ("net", "batch", "seconds", "workers", "threads", "augment", "precision", "compile", "steps")
        told = facts | {key: getattr(setting, key) for key in keys}
        told |= {
            "utterances_per_second": round(rate, 2),
            "rows_per_second": round(rate * rows_per_file, 2),
            "loader_share": round(sum(self.waited[self.warmup :]) / whole, 4),
            "step_ms_median": round(statistics.median(times), 1),
            "step_ms_min": round(min(times), 1),
            "step_ms_max": round(max(times), 1),
            "first_batch_s": round(self.waited[0], 2),
            "loss_first": round(statistics.mean(self.losses[:few]), 3),
            "loss_last": round(statistics.mean(self.losses[-few:]), 3),
            "main_cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
            "peak_mb": usage.ru_maxrss // 1024,
            "load_average": round(os.getloadavg()[0], 2),
        }
        print(json.dumps(told), flush=True)
