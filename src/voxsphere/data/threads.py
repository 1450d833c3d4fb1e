"""The same work on many things, a thread a core: in order, few ahead, and bad input is an answer, not an end."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from voxsphere.core.errors import BadInput, flattened

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(
    work: Callable[[T], R],
    things: Iterable[T],
    *,
    workers: int | None = None,
    ahead: int = 64,
    begin: Callable[[], None] | None = None,
) -> Iterator[tuple[T, R | BadInput]]:
    """Each thing with what `work` made of it, or with the `BadInput` that it raised; in order.

    `workers` threads (default: one a core) work on at most `ahead` things a thread beyond the one that is given out:
    the more, the less a long one holds the others up, and the more results wait in memory. An `OSError` (a name or a
    place that this system cannot open) is `BadInput` too. `begin` is called once in each thread.
    """

    def attempt(thing: T) -> R | BadInput:
        try:
            return work(thing)
        except BadInput as error:
            return error
        except (OSError, UnicodeError) as error:
            return BadInput(f"{getattr(error, 'filename', None) or thing}: cannot be read ({flattened(error)})")

    workers = workers or cores()
    with ThreadPoolExecutor(workers, initializer=begin) as pool:
        rest = iter(things)
        running: deque[tuple[T, Future[R | BadInput]]] = deque()
        try:
            while True:
                more = islice(rest, ahead * workers - len(running))
                running.extend((thing, pool.submit(attempt, thing)) for thing in more)
                if not running:
                    return
                thing, future = running.popleft()
                yield thing, future.result()
        finally:
            pool.shutdown(cancel_futures=True)
