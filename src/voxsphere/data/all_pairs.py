"""All pairs of a manifest's utterances as trials."""

import numpy as np

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.data.people import Person, check_named, person

MOST = 50_000
"""Utterances whose pairs, 1.25 thousand million, still fit into the memory of most machines (11 GB)."""


def all_pairs(manifest: Manifest) -> Trials:
    """Every two utterances, each pair once, the earlier of the manifest first; none of an utterance and itself.

    Of n utterances these are n (n − 1) / 2, in 9 bytes each. A speaker is known by name and data set. Copies at another
    speed are left out. `BadInput` for an utterance without a speaker, and where there are too many or no pairs.
    """
    check_named(manifest, "trials")
    utterances = [utterance for utterance in manifest if utterance.speed == 1]
    count = len(utterances)
    if not 2 <= count <= MOST:
        raise BadInput(f"all pairs of {count} utterances: give 2 to {MOST:,} of them; --where COLUMN=VALUE chooses")
    numbers: dict[Person, int] = {}
    speaker = np.array([numbers.setdefault(person(u), len(numbers)) for u in utterances], dtype=np.int32)
    row = np.arange(count, dtype=np.int32)
    enrol = np.repeat(row, count - 1 - row)
    test = np.concatenate([row[first:] for first in range(1, count)])
    return Trials(tuple(u.id for u in utterances), enrol, test, speaker[enrol] == speaker[test])
