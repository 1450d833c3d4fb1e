"""Things that are costly to open, kept open: a few, for each process its own."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """At most `most` things, the one unused for longest forgotten first; safe among threads.

    A forked process finds nothing here and opens its own: handles and locks of its parent's threads are not usable
    there. What is forgotten is closed when its last user lets go of it.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._of_process: dict[int, tuple[threading.Lock, OrderedDict[Hashable, T]]] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The thing of this key, made now if it is not there. Two threads may make it at once; one is kept."""
        lock, held = self._of_process.setdefault(os.getpid(), (threading.Lock(), OrderedDict()))
        with lock:
            if key in held:
                held.move_to_end(key)
                return held[key]
        made = make()
        with lock:
            kept = held.setdefault(key, made)
            while len(held) > self.most:
                held.popitem(last=False)
        return kept

    def clear(self) -> tuple[T, ...]:
        """Forget all that this process keeps; gives it back, for who wants to close it."""
        lock, held = self._of_process.setdefault(os.getpid(), (threading.Lock(), OrderedDict()))
        with lock:
            everything = tuple(held.values())
            held.clear()
        return everything
