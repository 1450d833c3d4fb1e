"""Who speaks in each trial: from a manifest's labels, or read off the trial list itself."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials

FROM_LABELS = "speaker labels"
FROM_TARGETS = "read off the list: recordings joined by target trials; the true number may be smaller"


def labels_of(manifest: Manifest) -> dict[str, str]:
    """Who is meant by each name that a score file may have: an utterance's speaker, or a speaker who enrolled.

    A speaker goes by his name or, as `named` tells it, dataset/speaker. Where an utterance has that name, it is meant.
    """
    speakers = {u.speaker: u.speaker for u in manifest if u.speaker}
    of_sets = {f"{u.dataset}/{u.speaker}": u.speaker for u in manifest if u.speaker and u.dataset}
    return of_sets | speakers | manifest.speaker_of()


def speakers_of(
    trials: Trials, speaker_of: Mapping[str, str] | None
) -> tuple[Int[np.ndarray, " trials"], Int[np.ndarray, " trials"], str]:
    """The speaker number on both sides of each labelled trial, and where the numbers come from.

    Without labels, recordings joined by target trials, directly or through others, are one speaker. A recording in
    no target trial then counts as a speaker of its own, so lists with few target trials hide that recordings share
    speakers, and intervals come out too narrow: give labels where there are some. Raises `BadInput` on a recording
    without a label, and on a trial whose own label contradicts.
    """
    if trials.target is None:
        raise BadInput("the trials are not labelled; evaluation needs target and non-target labels")
    if speaker_of is None:
        numbers, origin = _joined_by_targets(trials, trials.target), FROM_TARGETS
    else:
        numbers, origin = _labelled(trials.ids, speaker_of), FROM_LABELS
    enrol, test = numbers[trials.enrol], numbers[trials.test]
    wrong = np.flatnonzero((enrol == test) != trials.target)
    if len(wrong):
        first = int(wrong[0])
        said, found = ("target", "two speakers") if trials.target[first] else ("non-target", "one speaker")
        pair = f"{trials.ids[trials.enrol[first]]} and {trials.ids[trials.test[first]]}"
        raise BadInput(f"trial {first + 1} ({pair}) is labelled {said}, but they are {found} ({origin})")
    return enrol, test, origin


def _joined_by_targets(trials: Trials, target: np.ndarray) -> Int[np.ndarray, " ids"]:
    ends = trials.enrol[target], trials.test[target]
    graph = coo_array((np.ones(len(ends[0]), dtype=bool), ends), shape=(len(trials.ids),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1])


def _labelled(ids: tuple[str, ...], speaker_of: Mapping[str, str]) -> Int[np.ndarray, " ids"]:
    missing = [each for each in ids if not speaker_of.get(each)]
    if missing:
        raise BadInput(f"{missing[0]}: has no speaker label ({len(missing)} of the trials' recordings have none)")
    return np.unique([speaker_of[each] for each in ids], return_inverse=True)[1]
