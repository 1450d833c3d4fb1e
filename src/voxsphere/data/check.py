"""A manifest checked before hours of training: what is in it, what is broken, what leaks into the tests."""

from collections.abc import Callable, Sequence
from itertools import chain, pairwise

import numpy as np
from jaxtyping import Int

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.data.heard import Heard, hear_all
from voxsphere.data.leaks import Comparison, Rows, find_leaks
from voxsphere.data.people import person
from voxsphere.data.report import Broken, ListReport, Report
from voxsphere.data.test_lists import TEST_SPLITS, is_test_list
from voxsphere.data.threads import cores

Ints = Int[np.ndarray, " n"]

UNTAUGHT = TEST_SPLITS | {"held_out", "valid", "validation"}
"""What the `split` column calls utterances that nothing is learnt from."""


def check(
    manifest: Manifest,
    *,
    trials: Sequence[tuple[str, Trials]] = (),
    others: Sequence[tuple[str, Manifest]] = (),
    embeddings: Sequence[Embeddings] = (),
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Decode everything in `manifest` and in the `others`, count it, and find what is tested with and taught with.

    A trial list is *at home* in the manifest that names most of its recordings (of two that name as many, in the
    later). What all other manifests hold is taken as taught with, but for rows whose `split` column says `test`,
    `eval`, `held_out` or `validation`; of the home manifest, rows whose `split` says something else, such as `train`.
    A further manifest that is home to no list is compared with `manifest` as a whole. `embeddings` (one for the
    manifest and for each of the others, in this order) let near-duplicates be found; see `find_leaks`.

    Broken recordings are told in the report and stop nothing. `workers` threads decode (default: one a core);
    `progress` is told of each utterance decoded. Raises `BadInput` for an empty manifest and for embeddings that do
    not go with the manifests.
    """
    manifests = [manifest, *(other for _, other in others)]
    if not len(manifest):
        raise BadInput("the manifest is empty: there is nothing to check")
    if embeddings and len(embeddings) != len(manifests):
        raise BadInput(f"{len(embeddings)} sets of embeddings do not go with {len(manifests)} manifests: give one each")
    heard = hear_all([*chain.from_iterable(manifests)], workers=workers, progress=progress)
    rows = _rows(manifests, heard, embeddings)
    first = np.cumsum([0, *map(len, manifests)])
    comparisons, lists, homes = [], [], set()
    for name, listed in trials:
        place, home = _places(listed, manifests, first)
        homes.add(home)
        comparisons.append(_against(name, listed, place, home, rows, first))
        lists.append(_list_report(listed, place, rows, comparisons[-1]))
    for number, (name, other) in enumerate(others, start=1):
        if number not in homes:
            whole = np.arange(first[number], first[number] + len(other))
            comparisons.append(Comparison(name, whole, _taught(rows, 0, int(first[1]), marked=False)))
    leaks = [leak for one in comparisons for leak in find_leaks(rows, one, workers=workers or cores())]
    own, rest = heard[: len(manifest)], heard[len(manifest) :]
    return Report.of(manifest, own, broken_elsewhere=_broken(others, rest), lists=lists, leaks=leaks)


def _broken(others: Sequence[tuple[str, Manifest]], heard: Sequence[Heard]) -> list[Broken]:
    named = [(name, utterance) for name, other in others for utterance in other]
    pairs = zip(named, heard, strict=True)
    return [Broken(utterance.id, each.reason, name) for (name, utterance), each in pairs if each.reason]


def _rows(manifests: Sequence[Manifest], heard: Sequence[Heard], embeddings: Sequence[Embeddings]) -> Rows:
    utterances = [*chain.from_iterable(manifests)]
    vector = np.full(len(utterances), -1, dtype=np.int64)
    parts: list[np.ndarray] = []
    begin = at = 0
    for manifest, made in zip(manifests, embeddings, strict=False):
        place = {name: row for row, name in enumerate(made.ids)}
        for row, name in enumerate(manifest.ids, start=begin):
            vector[row] = place[name] + at if name in place else -1
        length = np.linalg.norm(made.vectors, axis=1, keepdims=True)
        parts.append((made.vectors / np.maximum(length, 1e-12)).astype(np.float32))
        begin, at = begin + len(manifest), at + len(made)
    if len({part.shape[1] for part in parts}) > 1 or len({made.model for made in embeddings if made.model}) > 1:
        raise BadInput("the embeddings were made by different models: extract them all with one")
    vectors = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
    return Rows(utterances, [each.content for each in heard], vector, vectors)


def _places(trials: Trials, manifests: Sequence[Manifest], first: Ints) -> tuple[dict[str, int], int]:
    """The row of each recording of a list, and the number of the manifest that is its home, −1 if none is."""
    found = [
        {name: row for row, name in enumerate(manifest.ids, start=int(begin))}
        for manifest, begin in zip(manifests, first[:-1], strict=True)
    ]
    named = [sum(name in place for name in trials.ids) for place in found]
    home = max(range(len(named)), key=lambda number: (named[number], number))
    if not named[home]:
        return {}, -1
    order = [home, *(number for number in range(len(found)) if number != home)]
    places = {name: next((found[n][name] for n in order if name in found[n]), -1) for name in trials.ids}
    return {name: row for name, row in places.items() if row >= 0}, home


def _against(name: str, trials: Trials, place: dict[str, int], home: int, rows: Rows, first: Ints) -> Comparison:
    taught = [
        _taught(rows, int(begin), int(end), marked=number == home)
        for number, (begin, end) in enumerate(pairwise(first))
    ]
    test = np.array(sorted(place.values()), dtype=np.int64)
    unknown = tuple(each for each in trials.ids if each not in place)
    return Comparison(name, test, np.concatenate(taught), unknown)


def _taught(rows: Rows, begin: int, end: int, *, marked: bool) -> Ints:
    """The rows that are taught with: those that are not said to be for something else, or only those marked so."""
    found = []
    for row in range(begin, end):
        split = rows.utterances[row].split.lower()
        if rows.utterances[row].speed == 1 and split not in UNTAUGHT and (split or not marked):
            found.append(row)
    return np.array(found, dtype=np.int64)


def _list_report(trials: Trials, place: dict[str, int], rows: Rows, comparison: Comparison) -> ListReport:
    row = np.array([place.get(each, -1) for each in trials.ids], dtype=np.int64)
    enrol, test = row[trials.enrol], row[trials.test]
    known = np.flatnonzero((enrol >= 0) & (test >= 0))
    itself = contrary = 0
    for trial in known.tolist():
        a, b = int(enrol[trial]), int(test[trial])
        itself += a == b or (bool(rows.contents[a]) and rows.contents[a] == rows.contents[b])
        one, two = rows.utterances[a], rows.utterances[b]
        if trials.target is not None and one.speaker and two.speaker:
            contrary += (person(one) == person(two)) != bool(trials.target[trial])
    return ListReport(
        name=comparison.where,
        trials=len(trials),
        recordings=len(trials.ids),
        missing=comparison.unknown,
        of_itself=itself,
        contrary=contrary,
        taught=len(comparison.training),
        test_list=is_test_list(trials, comparison.where) or "",
    )
