"""Examples of stored features: a piece of an utterance's matrix, cut in frames."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.memory import memory
from voxsphere.audio.stores import is_remote, read_array, shown, stamp
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Utterance
from voxsphere.data.places import ONE, Places

NUM_FRAMES = "num_frames"
"""The column of a manifest that tells how many frames an utterance has; how long they are is the model's to say."""

REMEMBERED = 256.0
"""Megabytes of matrices that examples were cut from, which each process keeps for the next examples of them."""


@dataclass(frozen=True)
class StoredFrames:
    """Matrices of `dim` features a frame and `rate` frames a second. Matrices are read whole: their readers are fast
    and only then is a NaN in one found wherever it lies. Those that examples were cut from are remembered, up to
    `megabytes` in each process."""

    rate: float
    dim: int
    megabytes: float = REMEMBERED

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

    def examples(
        self, utterance: Utterance, count: int, random: np.random.Generator, places: Places = ONE
    ) -> Float32[np.ndarray, "crops frames dim"]:
        """`count` frames from each of the drawn places on; fewer are repeated."""
        return places.cut(self._remembered(utterance), count, random)

    def _remembered(self, utterance: Utterance) -> Float32[np.ndarray, "frames dim"]:
        """The utterance's frames, read now or before. What is written anew under the same name is read anew."""
        path = utterance.path
        try:
            state = "" if is_remote(path) else stamp(path)
        except OSError:
            return self.beginning(utterance)  # which says what is wrong
        key = (path, state, utterance.start, utterance.duration, utterance.speed, self.rate, self.dim)
        return memory(self.megabytes).get(key, partial(self.beginning, utterance))


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
