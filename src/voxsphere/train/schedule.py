"""What a run does next, its learning rate above all, as pure functions of how far it has come.

None has a state, so a resumed run needs nothing to go on. Times are in epochs (a fraction is rounded to whole updates)
unless an option's name says steps; values are absolute. A warm-up is a straight line from `warm_from` to the
schedule's own value over `warmup_epochs`: a factor of warm_from/first at step 0 that grows to 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class Progress:
    """Where a run stands: `step` updates of `steps` are made.

    `figures` are the validation figures so far, lower is better; `figure_steps` the updates made before each of them.
    """

    step: int
    steps: int
    steps_per_epoch: int
    figures: tuple[float, ...] = ()
    figure_steps: tuple[int, ...] = ()

    def steps_in(self, epochs: float) -> int:
        """So many epochs as whole updates."""
        return round(epochs * self.steps_per_epoch)

    def figures_from(self, epoch: float) -> list[float]:
        """The figures measured when at least `epoch` epochs had passed."""
        first = self.steps_in(epoch)
        return [value for value, step in zip(self.figures, self.figure_steps, strict=True) if step >= first]


class Schedule(Protocol):
    """The value for the next update."""

    def __call__(self, progress: Progress) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Constant:
    """One value."""

    value: float
    warmup_epochs: float = 0.0
    warm_from: float = 0.0

    def __call__(self, progress: Progress) -> float:
        return self.value * _warm(progress, self.warmup_epochs, self.warm_from, self.value)


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A straight line from `initial`, after the warm-up, to `final` at the end."""

    initial: float
    final: float = 0.0
    warmup_epochs: float = 0.0
    warm_from: float = 0.0

    def __call__(self, progress: Progress) -> float:
        value = self.initial + (self.final - self.initial) * _share(progress, self.warmup_epochs, None)
        return value * _warm(progress, self.warmup_epochs, self.warm_from, self.initial)


@dataclass(frozen=True, kw_only=True)
class Polyline:
    """Straight lines between `points`, each the share of the run that has passed (0 to 1, rising) and the value there.

    Kaldi's schedules of dropout: its `0,0@0.20,0.5@0.50,0` is ((0, 0), (0.2, 0), (0.5, 0.5), (1, 0)).
    """

    points: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        shares = [share for share, _ in self.points]
        if not shares or shares != sorted(shares) or shares[0] < 0 or shares[-1] > 1:
            raise BadInput(f"polyline: points lie at rising shares of the run from 0 to 1, not at {shares}")

    def __call__(self, progress: Progress) -> float:
        shares, values = zip(*self.points, strict=True)
        return float(np.interp(progress.step / max(1, progress.steps), shares, values))


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """Half a cosine from `peak`, after the warm-up, to `final` at `end_epoch` (the run's end), and flat from there.

    Loshchilov & Hutter 2017, SGDR, arXiv:1608.03983, eq. 5, without restarts. 3D-Speaker warms from its `min_lr`
    (`warm_from=final`), WeSpeaker from 0.
    """

    peak: float
    final: float = 0.0
    end_epoch: float | None = None
    warmup_epochs: float = 0.0
    warm_from: float = 0.0

    def __call__(self, progress: Progress) -> float:
        share = _share(progress, self.warmup_epochs, self.end_epoch)
        value = self.final + (self.peak - self.final) * (1 + math.cos(math.pi * share)) / 2
        return value * _warm(progress, self.warmup_epochs, self.warm_from, self.peak)


@dataclass(frozen=True, kw_only=True)
class Exponential:
    """From `initial` at step 0 to `final` at the end, by the same factor each step; all times `scale_ratio`.

    WeSpeaker's ExponentialDecrease: the decay runs on during the warm-up, which is a factor. `scale_ratio` is its
    processes × batch / 64, and `warm_from=0` its warm_from_zero; otherwise it warms from the unscaled `initial`.
    """

    initial: float
    final: float
    scale_ratio: float = 1.0
    warmup_epochs: float = 0.0
    warm_from: float = 0.0

    def __post_init__(self) -> None:
        _need(self.initial > 0 < self.final, "an exponential goes between two values above 0")

    def __call__(self, progress: Progress) -> float:
        first = self.scale_ratio * self.initial
        value = first * math.exp(progress.step / progress.steps * math.log(self.final / self.initial))
        return value * _warm(progress, self.warmup_epochs, self.warm_from, first)


@dataclass(frozen=True, kw_only=True)
class Steps:
    """`initial`, multiplied by `factor` after `every` so many epochs, or after each of the `milestones`."""

    initial: float
    factor: float = 0.1
    every: float | None = None
    milestones: tuple[float, ...] = ()
    minimum: float = 0.0
    warmup_epochs: float = 0.0
    warm_from: float = 0.0

    def __post_init__(self) -> None:
        _need((self.every is None) == bool(self.milestones), "give either every or milestones")
        _need(self.every is None or self.every > 0, "every is a number of epochs above 0")

    def __call__(self, progress: Progress) -> float:
        if self.every is not None:
            passed = progress.step // max(1, progress.steps_in(self.every))
        else:
            passed = sum(progress.step >= progress.steps_in(epoch) for epoch in self.milestones)
        value = max(self.minimum, self.initial * self.factor**passed)
        return value * _warm(progress, self.warmup_epochs, self.warm_from, self.initial)


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """`initial`, multiplied by `factor` whenever more than `patience` figures in a row were no better than the best.

    As torch's ReduceLROnPlateau: better is below best·(1 − threshold), or with `relative=False` below best − threshold;
    after a reduction `cooldown` figures are not held against it. Figures measured during the warm-up do not count.
    """

    initial: float
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    relative: bool = True
    cooldown: int = 0
    minimum: float = 0.0
    warmup_epochs: float = 0.0
    warm_from: float = 0.0

    def __call__(self, progress: Progress) -> float:
        value, best, waited, resting = self.initial, math.inf, 0, 0
        for figure in progress.figures_from(self.warmup_epochs):
            if _better(figure, best, self.threshold, self.relative):
                best, waited = figure, 0
            else:
                waited += 1
            if resting:
                resting, waited = resting - 1, 0
            if waited > self.patience:
                lower = max(value * self.factor, self.minimum)
                value = lower if value - lower > 1e-8 else value  # torch's eps
                resting, waited = self.cooldown, 0
        return value * _warm(progress, self.warmup_epochs, self.warm_from, self.initial)


@dataclass(frozen=True, kw_only=True)
class Cyclic:
    """Triangles between `low` and `high`, `half_cycle_steps` updates, or `half_cycle_epochs`, from one to the other.

    Smith 2017, Cyclical Learning Rates, arXiv:1506.01186, section 3; as SpeechBrain's CyclicLRScheduler. "triangular2"
    halves the height with each cycle, "exp_range" multiplies it by `gamma` with each step.
    """

    low: float
    high: float
    half_cycle_steps: int | None = None
    half_cycle_epochs: float | None = None
    shape: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    gamma: float = 1.0
    warmup_epochs: float = 0.0
    warm_from: float = 0.0

    def __post_init__(self) -> None:
        steps, epochs = self.half_cycle_steps, self.half_cycle_epochs
        _need((steps is None) != (epochs is None), "give either half_cycle_steps or half_cycle_epochs")
        _need((steps or epochs or 0) > 0, "half a cycle takes one step or more")

    def __call__(self, progress: Progress) -> float:
        half = self.half_cycle_steps or max(1, progress.steps_in(self.half_cycle_epochs or 0))
        cycle, place = divmod(progress.step, 2 * half)
        rise = 1 - abs(place / half - 1)
        height = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": self.gamma**progress.step}[self.shape]
        value = self.low + (self.high - self.low) * rise * height
        return value * _warm(progress, self.warmup_epochs, self.warm_from, self.low)


@dataclass(frozen=True, kw_only=True)
class OneCycle:
    """From `initial` up to `peak` during the first `rising` share of the run, and down to `final` at its last update.

    Smith & Topin 2018, Super-Convergence, arXiv:1708.07120; as torch's OneCycleLR, whose defaults are peak/25 and
    peak/25/10⁴.
    """

    initial: float
    peak: float
    final: float
    rising: float = 0.3
    shape: Literal["cosine", "linear"] = "cosine"

    def __post_init__(self) -> None:
        _need(0 < self.rising < 1, "rising is a share of the run, between 0 and 1")

    def __call__(self, progress: Progress) -> float:
        top, last = self.rising * progress.steps - 1, progress.steps - 1
        if progress.step <= top:
            start, end, share = self.initial, self.peak, progress.step / top if top else 1.0
        else:
            start, end, share = self.peak, self.final, min(1.0, (progress.step - max(top, 0)) / max(last - top, 1))
        if self.shape == "cosine":
            share = (1 - math.cos(math.pi * share)) / 2
        return start + (end - start) * share


@dataclass(frozen=True, kw_only=True)
class InverseSqrt:
    """A straight rise to `peak` at update `warmup_steps`, then falling with the root of the updates ("Noam").

    peak · min(n/w, √(w/n)) for the n-th update, from 1: Vaswani et al. 2017, Attention is all you need, eq. 3, whose
    peak is (d·w)^−½.
    """

    peak: float
    warmup_steps: int = 4000

    def __post_init__(self) -> None:
        _need(self.warmup_steps > 0, "warmup_steps is one or more")

    def __call__(self, progress: Progress) -> float:
        ratio = (progress.step + 1) / self.warmup_steps
        return self.peak * min(ratio, 1 / math.sqrt(ratio))


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """Whether to stop: `patience` figures in a row were no better than the best by `minimum_improvement`.

    With `relative` the improvement is a share of the best. Figures before `from_epoch` do not count.
    """

    patience: int = 10
    minimum_improvement: float = 0.0
    relative: bool = False
    from_epoch: float = 0.0

    def __post_init__(self) -> None:
        _need(self.patience > 0, "patience is one figure or more")

    def __call__(self, progress: Progress) -> bool:
        best, waited = math.inf, 0
        for figure in progress.figures_from(self.from_epoch):
            if _better(figure, best, self.minimum_improvement, self.relative):
                best, waited = figure, 0
            else:
                waited += 1
            if waited >= self.patience:
                return True
        return False


def _better(figure: float, best: float, threshold: float, relative: bool) -> bool:
    return figure < (best * (1 - threshold) if relative else best - threshold)


def _share(progress: Progress, begin_epoch: float, end_epoch: float | None) -> float:
    """The share of the way from one epoch to the other, or to the run's end."""
    begin = progress.steps_in(begin_epoch)
    end = progress.steps if end_epoch is None else progress.steps_in(end_epoch)
    if progress.step >= end:
        return 1.0
    return (progress.step - begin) / (end - begin) if progress.step > begin else 0.0


def _warm(progress: Progress, epochs: float, warm_from: float, first: float) -> float:
    """The warm-up's factor to a schedule that begins with `first`."""
    steps = progress.steps_in(epochs)
    if progress.step >= steps:
        return 1.0
    start = warm_from / first if first else 0.0
    return start + (1 - start) * progress.step / steps


def _need(met: bool, message: str) -> None:
    if not met:
        raise BadInput(f"schedule: {message}")
