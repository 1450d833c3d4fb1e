"""Schedules of what a head asks for: margins that grow, and the λ of A-Softmax that falls."""

import math
from dataclasses import dataclass
from typing import Literal

from voxsphere.core.errors import BadInput
from voxsphere.train.schedule import Progress


@dataclass(frozen=True, kw_only=True)
class MarginRamp:
    """`initial` until `begin_epoch`, `final` from `end_epoch`, and between them a line or a curve that levels out.

    WeSpeaker's MarginScheduler, whose epochs count from 1: `begin_epoch=20` is when 19 epochs have passed. (3D-Speaker
    counts from 0: add 1 to its numbers.) "exp" goes by 1 − 1000^−x over the share x of the way.
    """

    initial: float = 0.0
    final: float = 0.2
    begin_epoch: float = 20
    end_epoch: float = 40
    shape: Literal["exp", "linear"] = "exp"

    def __post_init__(self) -> None:
        if not 1 <= self.begin_epoch <= self.end_epoch:
            raise BadInput("margin ramp: epochs count from 1, and it ends after it begins")

    def __call__(self, progress: Progress) -> float:
        begin, end = progress.steps_in(self.begin_epoch - 1), progress.steps_in(self.end_epoch - 1)
        if progress.step >= end:
            return self.final
        if progress.step <= begin:
            return self.initial
        share = (progress.step - begin) / (end - begin)
        if self.shape == "exp":
            share = 1 - math.exp(share * math.log(1e-3 / (1 + 1e-6)))  # their 10⁻⁶, kept
        return self.initial + (self.final - self.initial) * share


@dataclass(frozen=True, kw_only=True)
class LambdaAnnealing:
    """A-Softmax's λ, the weight of the plain logit: max(minimum, base·(1 + gamma·step)^−power).

    Liu et al. 2017, SphereFace, arXiv:1704.08063, and the defaults of their code.
    """

    base: float = 1000.0
    gamma: float = 0.12
    power: float = 1.0
    minimum: float = 5.0

    def __call__(self, progress: Progress) -> float:
        return max(self.minimum, self.base * math.pow(1 + self.gamma * progress.step, -self.power))
