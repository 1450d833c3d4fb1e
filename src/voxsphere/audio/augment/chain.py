"""Augmentations one after the other: all drawn first, then applied to a wave of the length that they need."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.contract import Augmentation, Deed, Needing, Placing, Resizing


def draw_all(
    augmentations: Iterable[Augmentation], random: np.random.Generator, samples: int, sample_rate: int
) -> tuple[Deed, ...]:
    """One deed of each augmentation, for an example of `samples` at `sample_rate` Hz."""
    return tuple(augmentation.draw(random, samples, sample_rate) for augmentation in augmentations)


def check_all(augmentations: Iterable[Augmentation]) -> None:
    """`BadInput` where recordings that they may choose are not to be had: a single draw would rarely meet them."""
    for augmentation in augmentations:
        if isinstance(augmentation, Needing):
            augmentation.check()


def place_of(deeds: Sequence[Deed]) -> float | None:
    """Where the example is cut from its recording (0–1), if one of the deeds says so; see `Placing`."""
    return next((deed.cut_at for deed in deeds if isinstance(deed, Placing) and deed.cut_at is not None), None)


def samples_needed(deeds: Sequence[Deed], samples: int) -> int:
    """How many samples of source make `samples` once all deeds are done."""
    return _lengths(deeds, samples)[0]


def apply_all(
    deeds: Sequence[Deed], wave: Float32[np.ndarray, " needed"], sample_rate: int, samples: int
) -> Float32[np.ndarray, " samples"]:
    """The wave after all deeds, in their order; the result has exactly `samples`.

    `wave` must be as long as `samples_needed` says, else `ValueError`. It is not changed; where nothing was done, it is
    the result itself.
    """
    lengths = _lengths(deeds, samples)
    if len(wave) != lengths[0]:
        raise ValueError(f"{samples} samples are made of {lengths[0]}, not of {len(wave)}; ask samples_needed first")
    for deed, length in zip(deeds, lengths[1:], strict=True):
        # Cut at once: the next deed's level (a signal-to-noise ratio, say) is that of what is kept.
        wave = deed(wave, sample_rate)[:length]
    return wave


def _lengths(deeds: Sequence[Deed], samples: int) -> list[int]:
    """The wave's length before each deed, and in the end."""
    lengths = [samples]
    for deed in reversed(deeds):
        lengths.append(deed.samples_needed(lengths[-1]) if isinstance(deed, Resizing) else lengths[-1])
    return lengths[::-1]
