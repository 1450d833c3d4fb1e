"""What was costly to read or to compute, kept in memory up to a limit, for each process its own."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, Protocol, TypeVar


class Sized(Protocol):
    """An array, or what holds arrays."""

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        ...


T = TypeVar("T", bound=Sized)


class Memory:
    """Things by their key; those unused for longest are dropped where all together take more than `megabytes`."""

    def __init__(self, megabytes: float) -> None:
        self.limit = megabytes * 1e6
        self.size = 0
        self._held: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The thing of this key, made now if it is not there. All its users share it: not to be written to."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                found: T = self._held[key]
                return found
        made = make()
        with self._lock:
            if key not in self._held:
                self.size += made.nbytes
                self._held[key] = made
            while self.size > self.limit:
                self.size -= self._held.popitem(last=False)[1].nbytes
        return made


def memory(megabytes: float) -> Memory:
    """This process's memory of that size; whoever asks for the same size shares it."""
    # A forked process must not wait for a lock that a thread of its parent held.
    return _memory(megabytes, os.getpid())


@cache
def _memory(megabytes: float, process: int) -> Memory:
    return Memory(megabytes)
