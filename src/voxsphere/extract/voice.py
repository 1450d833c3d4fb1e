"""One recording to one embedding, and what was heard on the way."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.quality import Quality, inspect, merge
from voxsphere.audio.wave import blocks, info
from voxsphere.core.errors import BadInput
from voxsphere.pretrained import Pretrained

Recording = str | Path | Float32[np.ndarray, " samples"]


@dataclass(frozen=True)
class Voice:
    """What a model made of a recording: its embedding, and the recording's quality as far as decisions need it."""

    vector: Float32[np.ndarray, " dim"]
    quality: Quality


def listen(
    pretrained: Pretrained, recording: Recording, *, start: float | None = None, duration: float | None = None
) -> Voice:
    """The embedding and the quality of a recording, or of `duration` seconds of it from `start` seconds on.

    A recording is an audio file, or a wave (±1, at the model's rate). Beyond the model's longest window it is read
    and embedded in equal windows, which are averaged by their speech seconds, so memory stays bounded.
    Raises `BadInput`, naming the file, when it cannot be read or holds nothing that can be embedded, and for a model
    that takes stored features.
    """
    refuse_stored(pretrained)
    rate = pretrained.model.sample_rate
    if isinstance(recording, np.ndarray):
        name, source_rate = "the given wave", rate
        windows: Iterable[np.ndarray] = (recording[cut] for cut in pretrained.model.windows(len(recording)))
    else:
        about = info(recording)
        name, source_rate = str(recording), about.rate
        seconds = min(about.seconds - (start or 0.0), duration if duration is not None else math.inf)
        window = _window(math.ceil(seconds * rate), pretrained)
        windows = blocks(recording, rate=rate, seconds=window, start=start, duration=duration)
    vectors: list[np.ndarray] = []
    qualities: list[Quality] = []
    for wave in windows:
        if len(wave) < pretrained.model.shortest and vectors:
            continue  # a rest of a few samples, left by rounding the windows' length
        vectors.append(_embed(pretrained, wave, name))
        qualities.append(inspect(wave, rate, source_rate=source_rate))
    if not vectors:
        raise BadInput(f"{name}: holds no samples")
    whole = merge(qualities)
    if whole.silent:
        raise BadInput(f"{name}: is silent (every sample is the same); record it again")
    # Windows without speech say nothing about the voice; where none has any, all count alike.
    speech = np.array([quality.speech_seconds for quality in qualities])
    share = speech if speech.any() else None
    vector = np.average(np.stack(vectors), axis=0, weights=share) if len(vectors) > 1 else vectors[0]
    return Voice(vector.astype(np.float32), whole)


def refuse_stored(pretrained: Pretrained) -> None:
    """`BadInput` where the model takes stored features, for verbs that hear recordings."""
    if (width := pretrained.model.width) is not None:
        raise BadInput(
            f"{pretrained.card.name}: this model takes stored features ({width} a frame), not recordings; use "
            "`voxsphere extract` with a manifest of such features"
        )


def _window(samples: int, pretrained: Pretrained) -> float:
    """The length, in seconds, of the equal windows in which the model embeds a wave of so many samples."""
    windows = pretrained.model.windows(max(1, samples))
    longest: int = max(cut.stop - cut.start for cut in windows)
    return longest / pretrained.model.sample_rate


def _embed(pretrained: Pretrained, wave: np.ndarray, name: str) -> Float32[np.ndarray, " dim"]:
    try:
        return np.asarray(pretrained.model.embed([wave])[0], dtype=np.float32)
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error
