"""One of several augmentations, or none."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voxsphere.audio.augment.between import check_probability
from voxsphere.audio.augment.chain import check_all
from voxsphere.audio.augment.contract import Augmentation, Deed
from voxsphere.audio.augment.nothing import Nothing
from voxsphere.core.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class OneOf:
    """With `probability` one of the `choices` (deferred constructors), each as likely as its weight; else nothing."""

    choices: tuple[Callable[[], Augmentation], ...]
    weights: tuple[float, ...] | None = None
    probability: float = 1.0

    def __post_init__(self) -> None:
        check_probability("OneOf.probability", self.probability)
        if not self.choices:
            raise BadInput("OneOf.choices: there is none")
        if self.weights is None:
            return
        if len(self.weights) != len(self.choices) or min(self.weights) < 0 or not 0 < sum(self.weights) < np.inf:
            raise BadInput(f"OneOf.weights: {self.weights} are not {len(self.choices)} weights of 0 or more")

    def check(self) -> None:
        """All choices' recordings."""
        check_all(make() for make in self.choices)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> Deed:
        """The deed of the augmentation that was chosen."""
        if random.random() >= self.probability:
            return Nothing()
        bounds = np.cumsum(self.weights or (1.0,) * len(self.choices))
        chosen = int(np.searchsorted(bounds, random.random() * bounds[-1], side="right"))
        return self.choices[chosen]().draw(random, samples, sample_rate)
