"""SIGTERM and Ctrl-C as a wish: the step is finished, the run saved, and all processes stop at the same step."""

import signal
from types import FrameType, TracebackType
from typing import Any

import torch
from torch import distributed


class Wish:
    """Within its block a first SIGTERM or SIGINT only sets a flag; a second does what it always did.

    With several processes `agreed` is to be asked by all of them after each step.
    """

    def __init__(self, world: int) -> None:
        self.asked = False
        # Flags travel over the network's own group on the CPU: a GPU would have to wait for every step.
        self._group: Any = distributed.new_group(backend="gloo") if world > 1 else None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Wish":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(number, self._before[number])

    def agreed(self, *wishes: bool) -> tuple[bool, ...]:
        """Whether any process was asked to stop, and for each of `wishes` whether any process has it."""
        if self._group is None:
            return (self.asked, *wishes)
        flags = torch.tensor([int(flag) for flag in (self.asked, *wishes)])
        distributed.all_reduce(flags, op=distributed.ReduceOp.MAX, group=self._group)
        return tuple(bool(flag) for flag in flags)
