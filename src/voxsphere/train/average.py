"""Averages of weights: a running one during training, and one of several checkpoints afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from voxsphere.core.errors import BadInput


class Ema:
    """The exponential moving average of a module's parameters: a ← d·a + (1 − d)·w after each update.

    Tarvainen & Valpola 2017, Mean teachers, arXiv:1703.01780, section 2. The first `update` copies. With `warmup` the
    n-th after it decays by min(`decay`, (1 + n)/(10 + n)), so that the first weights are soon forgotten (TensorFlow's
    ExponentialMovingAverage with num_updates). Buffers (running statistics, counters, margins) are copied, not
    averaged. Parameters below float32 are averaged in float32.
    """

    def __init__(self, *, decay: float = 0.999, warmup: bool = True) -> None:
        if not 0 <= decay <= 1:
            raise BadInput(f"ema: decay {decay:g} is not within 0 and 1")
        self.decay, self.warmup = decay, warmup
        self._updates = 0
        self._values: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take the module's weights in."""
        now = self._of(module)
        if not self._updates:
            self._values = {name: value.to(_wide(value)).clone() for name, value in now.items()}
        else:
            # A loaded average lies where it was loaded, the module perhaps on a device.
            self._values = {name: value.to(now[name].device) for name, value in self._values.items()}
            decay = min(self.decay, (1 + self._updates) / (10 + self._updates)) if self.warmup else self.decay
            averaged = [name for name, _ in module.named_parameters(remove_duplicate=False)]
            held = [self._values[name] for name in averaged]
            if held:
                seen = [now[name].to(a.dtype) for name, a in zip(averaged, held, strict=True)]
                get_ema_multi_avg_fn(decay)(held, seen, None)  # type: ignore[no-untyped-call]
            for name in now.keys() - set(averaged):
                self._values[name].copy_(now[name])
        self._updates += 1

    @contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """Within the block the module holds the average; after it, its own weights to the bit.

        Before the first update there is no average, and the module stays as it is.
        """
        now = self._of(module) if self._updates else {}
        before = {name: value.clone() for name, value in now.items()}
        try:
            self._fill(now, self._values)
            yield
        finally:
            self._fill(now, before)

    def state_dict(self) -> dict[str, Any]:
        """The number of updates and the averages, as tensors that later updates leave alone."""
        return {"updates": self._updates, "values": {name: value.clone() for name, value in self._values.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._updates = int(state["updates"])
        self._values = {name: value.clone() for name, value in state["values"].items()}

    @torch.no_grad()
    def _fill(self, module: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
        for name, value in module.items():
            value.copy_(values[name])

    def _of(self, module: nn.Module) -> dict[str, Tensor]:
        """The module's tensors themselves, those that a checkpoint would hold."""
        found = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
        if self._updates:
            _check_alike("the average", self._values, "the module", found)
        return found


def average(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several checkpoints' tensors, each summed in float64 and given back in its own precision.

    WeSpeaker's and many other recipes take the last ten epochs as the model. Whole numbers (batch counters) are those
    of the last state. `BadInput` where there is no state, or where they are not of one network.
    """
    if not states:
        raise BadInput("there is no checkpoint to average; give one or more")
    last = states[-1]
    for number, state in enumerate(states[:-1], start=1):
        _check_alike(f"checkpoint {number}", state, "the last", last)
    return {name: _mean([state[name] for state in states]) for name in last}


def _mean(values: list[Tensor]) -> Tensor:
    last = values[-1].detach()
    if not last.is_floating_point():
        return last.clone()
    total = torch.zeros_like(last, dtype=torch.float64)
    for value in values:
        total += value.detach().to(total.device)
    return (total / len(values)).to(last.dtype)


def _wide(value: Tensor) -> torch.dtype:
    return torch.promote_types(value.dtype, torch.float32) if value.is_floating_point() else value.dtype


def _check_alike(name: str, one: Mapping[str, Tensor], other_name: str, other: Mapping[str, Tensor]) -> None:
    """`BadInput` names the first tensor that one has and the other has not, or has in another shape."""
    for key in sorted(one.keys() ^ other.keys()):
        has, lacks = (name, other_name) if key in one else (other_name, name)
        raise BadInput(f"{has} and {lacks} are of different networks: only {has} has {key}")
    for key, value in one.items():
        if value.shape != other[key].shape:
            shapes = f"{tuple(value.shape)} and {tuple(other[key].shape)}"
            raise BadInput(f"{name} and {other_name} are of different networks: {key} has the shapes {shapes}")
