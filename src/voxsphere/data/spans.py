"""What is heard of each recording of a manifest, in samples: the whole of it, or what lies between its loud edges."""

import csv
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from voxsphere.audio.edges import edges
from voxsphere.audio.wave import info, read
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, read_text
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.threads import in_threads

_COLUMNS = ("id", "path", "start", "duration", "rate", "percentile", "first", "count", "samples")
_PAUSE = 30.0
"""Seconds between two saves of what was measured."""


@dataclass(frozen=True)
class Span:
    """`count` samples from `first` on, both at one rate, from the beginning of the file."""

    first: int
    count: int


def spans(
    manifest: Manifest,
    *,
    rate: int,
    percentile: float | None,
    memory: Path,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[dict[str, Span], dict[str, str]]:
    """What is heard of each utterance by its id, at `rate` samples a second; and of the others why nothing is.

    With a `percentile` the edges are trimmed (see `audio.edges`); recordings are read for that, and what was measured
    is kept in the table `memory`, so that a second call reads only the rest. Without, headers tell the lengths.
    """
    if percentile is None:
        return _gather(manifest, partial(_whole, rate), workers, progress)
    known = _remembered(memory)
    keys = {utterance.id: _key(utterance, rate, percentile) for utterance in manifest}
    rest = Manifest(tuple(utterance for utterance in manifest if keys[utterance.id] not in known))
    progress(len(manifest) - len(rest))
    saved = time.monotonic()

    def keep(utterance: Utterance, span: Span, samples: int) -> None:
        nonlocal saved
        known[keys[utterance.id]] = (span, samples)
        if time.monotonic() - saved > _PAUSE:
            _remember(memory, known)
            saved = time.monotonic()

    try:
        _, failures = _gather(rest, partial(_trimmed, rate, percentile), workers, progress, keep)
    finally:
        if known:
            _remember(memory, known)
    return {name: known[key][0] for name, key in keys.items() if key in known}, failures


def _gather(
    manifest: Manifest,
    measure: Callable[[Utterance], tuple[Span, int]],
    workers: int | None,
    progress: Callable[[int], None],
    keep: Callable[[Utterance, Span, int], None] = lambda utterance, span, samples: None,
) -> tuple[dict[str, Span], dict[str, str]]:
    found, failures = {}, {}
    for utterance, measured in in_threads(measure, manifest, workers=workers):
        progress(1)
        if isinstance(measured, BadInput):
            failures[utterance.id] = str(measured)
            continue
        found[utterance.id] = measured[0]
        keep(utterance, *measured)
    return found, failures


def _whole(rate: int, utterance: Utterance) -> tuple[Span, int]:
    begin, seconds = utterance.start or 0.0, utterance.duration
    if seconds is None or utterance.start is None:
        seconds = info(utterance.path).seconds - begin
    first, count = round(begin * rate), int(seconds * rate)
    if count < 1:
        raise BadInput(f"{utterance.path}: holds no sample from {begin:g} s on")
    return Span(first, count), count


def _trimmed(rate: int, percentile: float, utterance: Utterance) -> tuple[Span, int]:
    duration = utterance.duration if utterance.start is not None else None
    wave = read(utterance.path, rate=rate, start=utterance.start, duration=duration)
    if (found := edges(wave, percentile=percentile)) is None:
        raise BadInput(f"{utterance.path}: no sample is louder than the {percentile:g}th percentile; it holds no voice")
    first, end = found
    return Span(round((utterance.start or 0.0) * rate) + first, end - first), len(wave)


Key = tuple[str, ...]


def _key(utterance: Utterance, rate: int, percentile: float) -> Key:
    """What the measure depends on, as the table spells it."""
    duration = utterance.duration if utterance.start is not None else None
    times = ("" if value is None else repr(value) for value in (utterance.start, duration))
    return (utterance.id, utterance.path, *times, str(rate), repr(float(percentile)))


def _remembered(path: Path) -> dict[Key, tuple[Span, int]]:
    if not path.exists():
        return {}
    rows = csv.reader(io.StringIO(read_text(path)), delimiter="\t", quoting=csv.QUOTE_NONE)
    if tuple(next(rows, ())) != _COLUMNS:
        raise BadInput(f"{path}: is no table of edges; move it away, or choose another --out")
    try:
        return {tuple(row[:6]): (Span(int(row[6]), int(row[7])), int(row[8])) for row in rows}
    except (IndexError, ValueError) as error:
        raise BadInput(f"{path}: is a damaged table of edges; delete it, and they are measured anew") from error


def _remember(path: Path, known: dict[Key, tuple[Span, int]]) -> None:
    with atomic(path) as file:
        file.write("\t".join(_COLUMNS) + "\n")
        for key, (span, samples) in known.items():
            file.write("\t".join((*key, str(span.first), str(span.count), str(samples))) + "\n")
