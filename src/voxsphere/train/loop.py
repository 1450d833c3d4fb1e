"""The loop: a generator that makes one update and yields what came of it. Devices, precision and processes are
Accelerate's.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from torch import Tensor, nn
from torch.optim import LBFGS

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Batch
from voxsphere.train.average import Ema
from voxsphere.train.sam import Sam, statistics_kept
from voxsphere.train.schedule import Progress, Schedule


@dataclass(frozen=True)
class Step:
    """An update: its number, the means of the objective's losses over this process's pieces, and what it took."""

    number: int
    losses: dict[str, Tensor]
    learning_rate: float
    margin: float | None
    gradient_norm: Tensor | None
    broken: tuple[tuple[str, str], ...]
    waited: float  # seconds until the batch was there


def steps(
    objective: nn.Module,
    optimizer: AcceleratedOptimizer,
    batches: Iterator[Batch],
    accelerator: Accelerator,
    *,
    progress: Callable[[int], Progress],
    learning_rate: Schedule,
    margin: Schedule | None = None,
    dropout: Schedule | None = None,
    clip: float | None = None,
    pieces: int = 1,
    ema: Ema | None = None,
    seed: int = 0,
) -> Iterator[Step]:
    """Updates from `progress(0).step` on, for ever; each is finished when it is yielded.

    `progress(n)` tells where the n-th update from here stands. Each takes `pieces` batches, whose gradients are
    averaged; the norm of the whole is bounded by `clip` before the step. torch's generator is seeded for every update
    from (seed, step, rank), so nothing random outlives a step. `dropout` is for what has a `set_dropout`; what has a
    `set_progress` is told the progress before each.
    """
    bare = accelerator.unwrap_model(objective)
    learning = [module for module in bare.modules() if module.training]  # what is frozen is in evaluation mode
    after = [module.after_step for module in learning if hasattr(module, "after_step")]
    dropping = [module.set_dropout for module in learning if hasattr(module, "set_dropout")]
    told = [module.set_progress for module in bare.modules() if hasattr(module, "set_progress")]
    if dropout is not None and not dropping:
        raise BadInput("recipe.dropout: nothing in this network drops by a schedule; leave it out")
    made = 0
    while True:
        here = progress(made)
        made += 1
        rate, wide = learning_rate(here), None if margin is None else margin(here)
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("rate", 1.0)
        if wide is not None:
            bare.set_margin(wide)
        if dropout is not None:
            for drop in dropping:
                drop(dropout(here))
        for tell in told:
            tell(here)
        begun = time.perf_counter()
        fed = [next(batches).to(accelerator.device) for _ in range(pieces)]
        waited = time.perf_counter() - begun
        norm, losses = _update(objective, optimizer, fed, accelerator, clip, _seed_of(seed, here.step, accelerator))
        for follow in after:
            follow(here.step)
        if ema is not None:
            ema.update(bare)
        yield Step(here.step, losses, rate, wide, norm, tuple(f for piece in fed for f in piece.broken), waited)


def _update(
    objective: nn.Module,
    optimizer: AcceleratedOptimizer,
    fed: list[Batch],
    accelerator: Accelerator,
    clip: float | None,
    seed: int,
) -> tuple[Tensor | None, dict[str, Tensor]]:
    """One update with these pieces; the gradient's norm before it was clipped, and the losses before the step."""

    norm: Tensor | None = None

    def gradient() -> dict[str, Tensor]:
        nonlocal norm
        torch.manual_seed(seed)  # a second pass over the same batch drops the same units
        optimizer.zero_grad()
        losses: list[dict[str, Tensor]] = []
        for i, piece in enumerate(fed):
            with accelerator.no_sync(objective) if i + 1 < len(fed) else nullcontext():
                found = objective(piece)
                accelerator.backward(found["loss"] / len(fed))
            losses.append({name: value.detach() for name, value in found.items()})
        if clip is not None:
            norm = accelerator.clip_grad_norm_(objective.parameters(), clip)
        return {name: torch.stack([each[name] for each in losses]).mean() for name in losses[0]}

    def again() -> Tensor:
        with statistics_kept(objective):
            return gradient()["loss"]

    means = gradient()
    optimizer.step(again if isinstance(optimizer.optimizer, Sam | LBFGS) else None)
    return norm, means


def _seed_of(seed: int, step: int, accelerator: Accelerator) -> int:
    named = f"step {seed} {step} {accelerator.process_index}"
    return int.from_bytes(hashlib.sha256(named.encode()).digest()[:7], "big")
