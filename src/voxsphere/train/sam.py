"""Sharpness-aware minimisation around any torch optimiser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from voxsphere.core.errors import BadInput


class Sam(Optimizer):
    """Step with the gradient found at the worst point near by: w + ε, where ε = ρ·g / ‖g‖ over all parameters.

    Foret et al. 2021, Sharpness-Aware Minimization, arXiv:2010.01412, eq. 2 and algorithm 1. `adaptive` scales the
    neighbourhood by the weights: ε = ρ·T²g / ‖Tg‖, T = |w| + `eta` (Kwon et al. 2021, ASAM, arXiv:2102.11600, eq. 9;
    their ρ is 0.5).

    It is used with the gradient of the whole update in place: `optimizer.step(closure)`, where `closure` clears the
    gradients, makes those of the same whole update anew (all accumulated pieces of it) and returns the loss. Where
    processes average their gradients (DDP), all perturb alike. The loss scaling of fp16 does not reach the gradients of
    the closure: train in fp32 or bf16.

    All state is `base`'s: saved and loaded, it goes on to the bit. `param_groups` are `base`'s own too.
    """

    wants_closure = True
    """Tells the loop that `step` takes one."""

    def __init__(
        self,
        params: Any,
        *,
        base: Callable[..., Optimizer] = SGD,
        rho: float = 0.05,
        adaptive: bool = False,
        eta: float = 0.01,
    ) -> None:
        if rho < 0 or eta < 0:
            raise BadInput(f"sam: rho {rho:g} and eta {eta:g} are to be 0 or more")
        self.base = base(params)
        self.rho, self.adaptive, self.eta = rho, adaptive, eta
        super().__init__(self.base.param_groups, self.base.defaults)
        self._share()

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor:  # type: ignore[override]
        """One update; returns the loss at the perturbed weights."""
        if closure is None:
            raise BadInput("sam: a step needs the closure that makes the whole update's gradient anew")
        moved = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        before = [p.clone() for p in moved]
        for parameter, shift in zip(moved, self._shifts(moved), strict=True):
            parameter.add_(shift)
        try:
            with torch.enable_grad():
                loss = closure()
        finally:
            for parameter, value in zip(moved, before, strict=True):
                parameter.copy_(value)  # to the bit, which taking the shift off again would not be
        self.base.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The base optimiser's."""
        return self.base.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.base.load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        # One list and one dict for both, so that a rate set on either is the rate of both.
        self.param_groups, self.state = self.base.param_groups, self.base.state

    def _shifts(self, moved: list[nn.Parameter]) -> list[Tensor]:
        gradients = [p.grad for p in moved if p.grad is not None]
        if not gradients:
            return []
        if not self.adaptive:
            step = self.rho / (_norm(gradients) + 1e-12)
            return [step * g for g in gradients]
        spans = [p.abs() + self.eta for p in moved]
        step = self.rho / (_norm([t * g for t, g in zip(spans, gradients, strict=True)]) + 1e-12)
        return [step * t.square() * g for t, g in zip(spans, gradients, strict=True)]


@contextmanager
def statistics_kept(module: nn.Module) -> Iterator[None]:
    """Batch norms, and whatever else says `track_running_stats`, leave their buffers as they are.

    The statistics of perturbed weights are nobody's.

    Norms still normalise by the batch while training.
    """
    norms = [m for m in module.modules() if getattr(m, "track_running_stats", False)]
    before = [{name: value.clone() for name, value in norm.named_buffers(recurse=False)} for norm in norms]
    try:
        yield
    finally:
        with torch.no_grad():
            for norm, values in zip(norms, before, strict=True):
                for name, value in norm.named_buffers(recurse=False):
                    value.copy_(values[name])


def _norm(tensors: list[Tensor]) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t) for t in tensors]))
    return norm
