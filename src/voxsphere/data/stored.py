"""Examples of stored features: a piece of an utterance's matrix, cut in frames."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.stores import read_array, shown
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Utterance

NUM_FRAMES = "num_frames"
"""The column of a manifest that tells how many frames an utterance has; how long they are is the model's to say."""


@dataclass(frozen=True)
class StoredFrames:
    """Matrices of `dim` features a frame and `rate` frames a second. Matrices are read whole: their readers are fast
    and only then is a NaN in one found wherever it lies."""

    rate: float
    dim: int

    def seconds(self, utterance: Utterance) -> float | None:
        """The utterance's length, from its duration or its `num_frames`, where the manifest tells one of them."""
        _check_speed(utterance)
        frames = num_frames(utterance)
        if utterance.duration is not None or frames is None:
            return utterance.duration
        return frames / self.rate - (utterance.start or 0.0)

    def beginning(self, utterance: Utterance, seconds: float = math.inf) -> Float32[np.ndarray, "frames dim"]:
        """The first frames of the utterance; `BadInput` where they are not of `dim` features."""
        _check_speed(utterance)
        if utterance.start is not None and utterance.duration is not None:
            seconds = min(seconds, utterance.duration)
        count = max(1, round(seconds * self.rate)) if seconds < math.inf else None
        frames = read_array(utterance.path, round((utterance.start or 0.0) * self.rate), count)
        if frames.shape[1] != self.dim:
            raise BadInput(
                f"{shown(utterance.path)}: has {frames.shape[1]} features a frame, the model takes {self.dim}; "
                "--set the dim of its Stored front end, or take features made for it"
            )
        return frames

    def example(
        self, utterance: Utterance, count: int, random: np.random.Generator
    ) -> Float32[np.ndarray, "frames dim"]:
        """`count` frames from a drawn place on; fewer are repeated."""
        frames = self.beginning(utterance)
        if len(frames) <= count:
            return np.tile(frames, (math.ceil(count / len(frames)), 1))[:count]
        first = int(random.integers(len(frames) - count, endpoint=True))
        return frames[first : first + count]


def num_frames(utterance: Utterance) -> int | None:
    """How many frames the manifest says the utterance's matrix has; `BadInput` where that is no number."""
    told = dict(utterance.extra).get(NUM_FRAMES)
    if told is not None and not (told.isdecimal() and int(told) > 0):
        raise BadInput(f"{shown(utterance.path)}: {NUM_FRAMES} {told!r} is no number of frames")
    return None if told is None else int(told)


def _check_speed(utterance: Utterance) -> None:
    if utterance.speed != 1:
        raise BadInput(
            f"{shown(utterance.path)}: stored features cannot be played at speed {utterance.speed:g}; "
            "--set data.speeds=[]"
        )
