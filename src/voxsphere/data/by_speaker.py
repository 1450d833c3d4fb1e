"""Deep-speaker v2's normalisation of stored features by each speaker's own scalars, which tell who speaks."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.stores import read_array
from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded, read_json, write_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.feature_sets import FeatureSet, form_of, store
from voxsphere.data.threads import in_threads

WARNING = (
    "each speaker's features are scaled by that speaker's own mean and deviation: they tell who speaks, at test time "
    "too, and what is measured on them is no result; --by-speaker is there to repeat the original's numbers"
)

Who = tuple[str, str]


@dataclass(frozen=True)
class Scalars:
    """A speaker's two numbers."""

    mean: float
    deviation: float


def scalars(manifest: Manifest, *, workers: int | None = None) -> dict[Who, Scalars]:
    """Each speaker's mean over utterances of their mean, and of their standard deviation, over all frames and features.

    By the utterances of split train, where a speaker has any (mean_train and std_train of the original); else by all.
    """
    of_speaker: dict[Who, list[Utterance]] = {}
    for utterance in manifest:
        of_speaker.setdefault(_who(utterance), []).append(utterance)
    asked = {
        utterance.id for own in of_speaker.values() for utterance in ([u for u in own if u.split == "train"] or own)
    }
    found: dict[Who, list[tuple[float, float]]] = {}
    for utterance, told in in_threads(_told, [u for u in manifest if u.id in asked], workers=workers):
        if not isinstance(told, BadInput):
            found.setdefault(_who(utterance), []).append(told)
    return {who: Scalars(*np.mean(each, axis=0).tolist()) for who, each in found.items()}


def by_speaker(
    manifest: Manifest,
    out: str | Path,
    *,
    form: str | None = None,
    compression: int = 0,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> FeatureSet:
    """Copy stored features into another store, each speaker's less their mean and over their deviation.

    The .json beside the manifest says so; no front end over waves makes such features. See `feature_sets.convert`.
    """
    made = store(
        manifest,
        partial(_scaled, scalars(manifest, workers=workers)),
        Path(out),
        form_of(out, form),
        compression=compression,
        workers=workers,
        progress=progress,
    )
    write_json(made.path.with_suffix(".json"), {"features": None, "warning": WARNING, "dim": made.dim})
    return made


def warned(manifest: str) -> str:
    """What the .json beside a manifest of stored features warns of; "" where there is no such file or warning."""
    path = Path(f"{os.path.splitext(expanded(manifest))[0]}.json")
    told = read_json(path) if path.is_file() else None
    return str(told.get("warning", "")) if isinstance(told, dict) else ""


def _who(utterance: Utterance) -> Who:
    return utterance.dataset, utterance.speaker


def _told(utterance: Utterance) -> tuple[float, float]:
    frames = read_array(utterance.path).astype(np.float64)
    return float(frames.mean()), float(frames.std())


def _scaled(known: dict[Who, Scalars], utterance: Utterance) -> tuple[Float32[np.ndarray, "frames dim"], float | None]:
    own = known.get(_who(utterance))
    if own is None or not own.deviation > 0:
        raise BadInput(f"{utterance.id}: nothing is known of its speaker's mean and deviation; leave it out")
    frames = (read_array(utterance.path).astype(np.float64) - own.mean) / own.deviation
    return frames.astype(np.float32), utterance.duration
