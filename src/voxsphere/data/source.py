"""What a model takes of an utterance: its wave in samples, or its stored features in frames."""

import math
from typing import Protocol

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.contract import Augmentation
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Utterance
from voxsphere.data.places import ONE, Places
from voxsphere.data.stored import StoredFrames
from voxsphere.data.waves import Waves
from voxsphere.models.speaker import SpeakerModel

Held = Float32[np.ndarray, " samples"] | Float32[np.ndarray, "frames dim"]


class Source(Protocol):
    """Reads utterances; lengths are counted in samples or frames, `rate` of which make a second."""

    @property
    def rate(self) -> float: ...

    def seconds(self, utterance: Utterance) -> float | None:
        """How long the utterance will be heard, where the manifest tells."""
        ...

    def beginning(self, utterance: Utterance, seconds: float = math.inf) -> Held:
        """The first `seconds` of the utterance, or all of it."""
        ...

    def examples(
        self, utterance: Utterance, count: int, random: np.random.Generator, places: Places = ONE
    ) -> Float32[np.ndarray, "crops samples *dim"]:
        """Pieces at drawn places, `count` long, augmented by the same draws; a shorter utterance is repeated."""
        ...


def enough(held: Held, utterance: Utterance, model: SpeakerModel) -> Held:
    """What was read of the utterance; `BadInput` where it is too short for the model."""
    if len(held) < model.shortest:
        raise BadInput(f"{utterance.path}: {len(held)} samples or frames are too few for the model; record more")
    return held


def source_of(model: SpeakerModel, augment: tuple[Augmentation, ...] = ()) -> Source:
    """What reads utterances for this model. `BadInput` for augmentations of waves where it takes none."""
    if model.width is None:
        return Waves(model.sample_rate, augment)
    if augment:
        raise BadInput(
            "augment: stored features take no augmentation of waves; --set augment=[] (SpecAugment, as masks, does "
            "hide parts of features)"
        )
    return StoredFrames(model.rate, model.width)
