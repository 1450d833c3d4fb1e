"""Several augmentations in turn, as one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.chain import check_all, draw_all, place_of, samples_needed
from voxsphere.audio.augment.contract import Augmentation, Deed


@dataclass(frozen=True)
class InTurn:
    """Deeds one after the other; a sample or two may be left over at the end."""

    deeds: tuple[Deed, ...]

    @property
    def cut_at(self) -> float | None:
        """The place that one of the deeds says."""
        return place_of(self.deeds)

    def samples_needed(self, samples: int) -> int:
        """What the first deed needs."""
        return samples_needed(self.deeds, samples)

    def __call__(self, wave: Float32[np.ndarray, " samples"], sample_rate: int) -> Float32[np.ndarray, " samples_out"]:
        for deed in self.deeds:
            wave = deed(wave, sample_rate)
        return wave


@dataclass(frozen=True, kw_only=True)
class Each:
    """Each of the `augmentations` (deferred constructors) in their order: several as one choice of `OneOf`."""

    augmentations: tuple[Callable[[], Augmentation], ...]

    def check(self) -> None:
        """The recordings of every one."""
        check_all(make() for make in self.augmentations)

    def draw(self, random: np.random.Generator, samples: int, sample_rate: int) -> InTurn:
        """The deed of every one."""
        return InTurn(draw_all((make() for make in self.augmentations), random, samples, sample_rate))
