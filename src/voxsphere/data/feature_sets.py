"""A corpus's features made once: computed by a front end, or read from one store, and written into another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from voxsphere.audio.front_end import FrontEnd
from voxsphere.audio.stores import read_array, read_vector, shown
from voxsphere.audio.wave import read
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, check_writable, write_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.parts import describe
from voxsphere.data.feature_writers import FORMS, check_names, writer_of
from voxsphere.data.stored import NUM_FRAMES
from voxsphere.data.threads import in_threads

Frames = Float32[np.ndarray, "frames dim"]
Make = Callable[[Utterance], tuple[Frames, float | None]]


@dataclass(frozen=True)
class FeatureSet:
    """What was written: its manifest of locators and where that lies, its size, and what was left out and why."""

    manifest: Manifest
    path: Path
    frames: int
    dim: int
    failures: tuple[tuple[str, str], ...]  # (utterance id, reason)


def form_of(out: str | Path, form: str | None = None) -> str:
    """The form asked for, else what the ending of `out` tells: feats.ark, feats.h5, a folder mcp or feats.mcp."""
    named = form or Path(out).suffix.removeprefix(".") or Path(out).name
    named = {"hdf5": "h5", "hdf": "h5", "scp": "ark"}.get(named, named)
    if named not in FORMS:
        raise BadInput(f"{out}: does not tell what to write; end it in one of {', '.join('.' + f for f in FORMS)}")
    return named


def convert(
    manifest: Manifest,
    out: str | Path,
    *,
    form: str | None = None,
    compression: int = 0,
    voiced: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> FeatureSet:
    """Copy stored features (see `stores.read_array`) into another store.

    `form` is one of `feature_writers.FORMS` (default: by the ending of `out`); `compression` is a method of Kaldi's for
    .ark (see `ark_write.METHODS`). What is written is [frames, dim] in Kaldi archives, .npy and fmatrix files, and
    [1, dim, frames] in HDF5, all float32. A column `feats` of the manifest goes before `path`. With `voiced` only the
    frames that the column `vad` calls speech are kept (Kaldi's select-voiced-frames). See `compute` for the rest.
    """
    return store(
        manifest,
        _voiced if voiced else _stored,
        Path(out),
        form_of(out, form),
        compression=compression,
        workers=workers,
        progress=progress,
    )


def compute(
    manifest: Manifest,
    features: Callable[[], FrontEnd],
    out: str | Path,
    *,
    form: str | None = None,
    compression: int = 0,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> FeatureSet:
    """Compute the features of recordings, at the front end's own rate and the utterance's speed, and store them.

    Forms and compression as for `convert`. The manifest of locators is saved as `NAME.tsv` beside `NAME.ark` or
    `NAME.h5`, or as `manifest.tsv` in a folder, with all columns, durations in seconds and `num_frames`; beside it,
    a .json tells how the features were made. Archives and HDF5 files appear when they are whole, and so does each
    file of a folder. What cannot be read is left out, and told in `failures` and in NAME.failed.tsv; `BadInput` where
    that is everything. `workers` threads make features (default: one a core).
    """
    front = features()
    if front.input != "wave":
        raise BadInput(f"{type(front).__name__}: takes stored features, none are to be computed; give one for waves")
    if isinstance(front, torch.nn.Module):
        front.eval()
    made = store(
        manifest,
        partial(_computed, front),
        Path(out),
        form_of(out, form),
        compression=compression,
        workers=workers,
        progress=progress,
    )
    how = {"features": describe(features), "sample_rate": front.sample_rate, "hop": front.hop, "dim": made.dim}
    write_json(made.path.with_suffix(".json"), how)
    return made


def _stored(utterance: Utterance) -> tuple[Frames, float | None]:
    if utterance.start is not None or utterance.speed != 1:
        raise BadInput(f"{utterance.id}: is a part or at another speed; stored features are converted as they are")
    return read_array(dict(utterance.extra).get("feats", utterance.path)), utterance.duration


def _voiced(utterance: Utterance) -> tuple[Frames, float | None]:
    frames, _ = _stored(utterance)
    place = dict(utterance.extra).get("vad")
    if place is None:
        raise BadInput(f"{utterance.id}: has no decisions on speech; they are the column vad, or vad.scp of a folder")
    speech = read_vector(place)
    if len(speech) != len(frames):
        raise BadInput(f"{utterance.id}: {shown(place)} decides on {len(speech)} frames, and there are {len(frames)}")
    kept = frames[speech != 0]
    if not len(kept):
        raise BadInput(f"{utterance.id}: {shown(place)} finds no speech in it")
    return kept, None


def _computed(front: FrontEnd, utterance: Utterance) -> tuple[Frames, float | None]:
    duration = utterance.duration if utterance.start is not None else None
    rate = round(front.sample_rate / utterance.speed)  # played faster is read at a lower rate
    wave = read(utterance.path, rate=rate, start=utterance.start, duration=duration)
    if not front.frames_of(len(wave)):
        raise BadInput(f"{utterance.path}: {len(wave)} samples make no frame; leave it out")
    with torch.inference_mode():
        frames = front(torch.from_numpy(wave)[None])[0].float().numpy()
    if not np.isfinite(frames).all():
        raise BadInput(f"{utterance.path}: its features hold NaN or infinite values")
    return frames, len(wave) / front.sample_rate


def store(
    manifest: Manifest,
    make: Make,
    out: Path,
    form: str,
    *,
    compression: int = 0,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> FeatureSet:
    """Store what `make` gives of each utterance, features and seconds (None: unknown), in a form that `form_of` knows.

    `BadInput` that it raises leaves the utterance out; see `compute` for what is written beside the store.
    """
    out = out.with_suffix(".ark") if form == "ark" else out
    check_names(manifest, form)
    writer = writer_of(form, compression=compression)
    listing = out.with_suffix(".tsv") if form in ("ark", "h5") else out / "manifest.tsv"
    check_writable(listing)
    kept = _Kept()
    rows = kept.rows(manifest, make, workers, progress)
    if (first := next(rows, None)) is None:
        raise BadInput(
            f"{out}: nothing could be written: {next(iter(kept.failures.values()), 'the manifest is empty')}"
        )
    written = Manifest(tuple(kept.placed(each, place) for each, place in writer(out, chain((first,), rows))))
    written.save(listing)
    _report_failures(listing, kept.failures)
    return FeatureSet(written, listing, sum(kept.lengths.values()), kept.dim, tuple(kept.failures.items()))


class _Kept:
    """What is told of the features as they pass by."""

    def __init__(self) -> None:
        self.dim = 0
        self.lengths: dict[str, int] = {}
        self.seconds: dict[str, float | None] = {}
        self.failures: dict[str, str] = {}

    def rows(
        self, manifest: Manifest, make: Make, workers: int | None, progress: Callable[[int], None]
    ) -> Iterator[tuple[Utterance, Frames]]:
        """Each utterance with its features; those that have none, or of another width than the first, pass over."""
        begin = partial(torch.set_num_threads, 1)  # a thread a core with one of torch's each
        for utterance, made in in_threads(make, manifest, workers=workers, ahead=4, begin=begin):
            progress(1)
            if isinstance(made, BadInput):
                self.failures[utterance.id] = str(made)
                continue
            frames, seconds = made
            self.dim = self.dim or frames.shape[1]
            if frames.shape[1] != self.dim:
                told = f"has {frames.shape[1]} features a frame where the first has {self.dim}"
                self.failures[utterance.id] = f"{utterance.id}: {told}; write it into a store of its own"
                continue
            self.lengths[utterance.id], self.seconds[utterance.id] = len(frames), seconds
            yield utterance, frames

    def placed(self, utterance: Utterance, place: str) -> Utterance:
        """The utterance where it is now: a whole of its own, as fast as it is."""
        extra = {name: value for name, value in utterance.extra if name not in ("feats", NUM_FRAMES)}
        extra[NUM_FRAMES] = str(self.lengths[utterance.id])
        seconds = self.seconds[utterance.id]
        return replace(
            utterance, path=place, start=None, duration=seconds, speed=1.0, extra=tuple(sorted(extra.items()))
        )


def _report_failures(listing: Path, failures: dict[str, str]) -> None:
    path = listing.with_suffix(".failed.tsv")
    path.unlink(missing_ok=True)
    if failures:
        with atomic(path) as file:
            file.write("id\treason\n")
            for line in (f"{name}\t{reason}\n" for name, reason in failures.items()):
                file.write(line.encode(errors="backslashreplace").decode())
