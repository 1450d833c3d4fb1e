"""Leaks: what is tested with and was taught with, by speaker, by file, by samples, or by sound."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int

from voxsphere.audio.wave import read
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Utterance
from voxsphere.data.people import Person, person
from voxsphere.data.same_sound import RATE, SAME, likeness

NEAREST = 3
"""How many of the embeddings nearest to a test recording's are listened to.

Embeddings alone do not tell copies from a speaker's further recordings: CAM++ puts an MP3 copy at a cosine of 0.92
(median), and one speaker's recordings of a session at up to 0.98. As the nearest they are found nearly always: of 200
copies (MP3, Opus, telephone; whole, cut, halved) among 700 training recordings of the development corpus 199 were told,
and none falsely, of its 1934 evaluation recordings against the same 700.
"""

LONGEST = 600.0
"""Seconds of a recording that are listened to when two are compared."""

_FAR = 0.3  # cosine below which two embeddings are of no one recording: telephone-band copies lie at 0.45 and more
_ROWS, _COLUMNS = 1024, 8192  # of similarities in memory at a time: 32 MB, and as much again twice to sort them

Kind = Literal["speaker", "file", "content", "sound"]


@dataclass(frozen=True)
class Leak:
    """Something tested with, in the list or manifest `where`, that training sees as well.

    `kind`: "speaker" (`test` and `training` name one), "file" (two utterances of one file), "content" (the same decoded
    samples), "sound" (one recording, re-encoded or cut differently; `likeness` tells how alike). For the last three,
    `test` and `training` are ids of utterances.
    """

    kind: Kind
    where: str
    test: str
    training: str
    likeness: float | None = None


@dataclass(frozen=True)
class Rows:
    """The utterances of all manifests, one after the other: their contents' hashes, and their unit embeddings.

    `vector` gives an utterance's row in `vectors`, or −1.
    """

    utterances: Sequence[Utterance]
    contents: Sequence[str]
    vector: Int[np.ndarray, " utterances"]
    vectors: Float32[np.ndarray, "vectors dim"]


@dataclass(frozen=True)
class Comparison:
    """What is to be kept apart: rows tested with, and rows taught with; `unknown` ids are in no manifest."""

    where: str
    test: Int[np.ndarray, " test"]
    training: Int[np.ndarray, " training"]
    unknown: tuple[str, ...] = ()


def find_leaks(rows: Rows, comparison: Comparison, *, workers: int = 1) -> tuple[Leak, ...]:
    """Every leak of a comparison: one for each speaker on both sides, then one for each test recording.

    Of a recording the plainest is told: the file, else the samples, else the sound. Sound is compared where embeddings
    are given: they say which `NEAREST` training recordings to listen to, and the waves' likeness decides. Memory is
    bounded, whatever the numbers.
    """
    found = [*_by_speaker(rows, comparison), *_by_folder(rows, comparison)]
    rest = []
    keys = (("file", _files(rows)), ("content", rows.contents))
    places = [(kind, values, _first(values, comparison.training)) for kind, values in keys]
    for row in comparison.test.tolist():
        for kind, values, place in places:
            if (other := place.get(values[row])) is not None:
                names = rows.utterances[row].id, rows.utterances[other].id
                found.append(Leak("file" if kind == "file" else "content", comparison.where, *names))
                break
        else:
            rest.append(row)
    candidates = _nearest(rows, np.array(rest, dtype=np.int64), comparison.training)
    with ThreadPoolExecutor(workers) as pool:
        for row, (alike, other) in zip(
            candidates, pool.map(lambda c: _best(rows, *c), candidates.items()), strict=True
        ):
            if alike >= SAME:
                names = rows.utterances[row].id, rows.utterances[other].id
                found.append(Leak("sound", comparison.where, *names, round(alike, 3)))
    return tuple(found)


def _by_speaker(rows: Rows, comparison: Comparison) -> list[Leak]:
    taught: dict[str, set[Person]] = defaultdict(set)
    for row in comparison.training.tolist():
        dataset, name = person(rows.utterances[row])
        taught[name].add((dataset, name))
    tested = {person(rows.utterances[row]) for row in comparison.test.tolist()}
    found = []
    for dataset, name in sorted(who for who in tested if who[1]):
        # Where one side does not say which data set it is of, the name alone decides.
        same = [other for other in sorted(taught.get(name, ())) if not dataset or other[0] in ("", dataset)]
        if same:
            found.append(Leak("speaker", comparison.where, _spoken((dataset, name)), _spoken(same[0])))
    return found


def _by_folder(rows: Rows, comparison: Comparison) -> list[Leak]:
    """Speakers after whom a folder of an unknown recording's path is named, as in `id10270/x6uYqmx31kE/00001.wav`."""
    taught = {who[1]: who for who in (person(rows.utterances[row]) for row in comparison.training.tolist()) if who[1]}
    named = {part for name in comparison.unknown for part in name.split("/")[:-1]} & taught.keys()
    return [Leak("speaker", comparison.where, name, _spoken(taught[name])) for name in sorted(named)]


def _spoken(who: Person) -> str:
    return "/".join(part for part in who if part)


def _files(rows: Rows) -> list[str]:
    return [os.path.normpath(utterance.path) for utterance in rows.utterances]


def _first(values: Sequence[str], places: Int[np.ndarray, " rows"]) -> Mapping[str, int]:
    return {values[row]: row for row in reversed(places.tolist()) if values[row]}


def _nearest(
    rows: Rows, test: Int[np.ndarray, " test"], training: Int[np.ndarray, " training"]
) -> dict[int, tuple[int, ...]]:
    """For each test row with an embedding, the training rows whose embeddings are nearest, if they are not far."""
    test, training = test[rows.vector[test] >= 0], training[rows.vector[training] >= 0]
    found: dict[int, tuple[int, ...]] = {}
    for first in range(0, len(test), _ROWS):
        part = test[first : first + _ROWS]
        best = np.full((len(part), NEAREST), -1.0, np.float32)
        place = np.zeros((len(part), NEAREST), np.int64)
        for begin in range(0, len(training), _COLUMNS):
            others = training[begin : begin + _COLUMNS]
            cosine = rows.vectors[rows.vector[part]] @ rows.vectors[rows.vector[others]].T
            both = np.concatenate([best, cosine], axis=1)
            top = np.argpartition(-both, NEAREST - 1, axis=1)[:, :NEAREST]
            best = np.take_along_axis(both, top, axis=1)
            kept = np.take_along_axis(place, np.minimum(top, NEAREST - 1), axis=1)
            place = np.where(top < NEAREST, kept, others[np.maximum(top - NEAREST, 0)])
        for row, near, cosine in zip(part.tolist(), place, best, strict=True):
            if (cosine >= _FAR).any():
                found[row] = tuple(near[cosine >= _FAR].tolist())
    return found


def _best(rows: Rows, row: int, others: Sequence[int]) -> tuple[float, int]:
    """The likest of these rows, and how alike it is."""
    wave = _wave(rows.utterances[row])
    scored = [(likeness(wave, _wave(rows.utterances[other])), other) for other in others]
    return max(scored, key=lambda each: each[0])


def _wave(utterance: Utterance) -> Float32[np.ndarray, " samples"]:
    """The first minutes of an utterance; nothing of one that cannot be read, which the check tells of elsewhere."""
    duration = utterance.duration if utterance.start is not None and utterance.duration is not None else LONGEST
    try:
        return read(utterance.path, rate=RATE, start=utterance.start, duration=min(duration, LONGEST))
    except (BadInput, OSError):
        return np.zeros(0, np.float32)
