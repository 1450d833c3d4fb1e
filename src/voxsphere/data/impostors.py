"""Non-target pairs: each speaker against others who are alike, drawn evenly, no pair twice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

Ints = Int[np.ndarray, " n"]

_ROUNDS = 12
"""Draws before what is missing is sought among all that is left: by then only the nearly exhausted miss anything."""


@dataclass(frozen=True)
class Crowd:
    """Utterances by group, and within a group by speaker; a speaker's part of a group is a *voice*.

    `order` sorts the utterances so; voice `v` is the places `first[v]` to `first[v + 1]` of it, spoken by `speaker[v]`;
    the voices of the group of `v` are `low[v]` to `high[v]`. `voice` tells the voice at each place.
    """

    order: Ints
    first: Ints
    speaker: Ints
    low: Ints
    high: Ints
    voice: Ints

    @staticmethod
    def of(speaker: Ints, group: Ints) -> "Crowd":
        """The crowd of utterances by the numbers of their speakers and groups."""
        order = np.lexsort((np.arange(len(speaker)), speaker, group))
        by_group, by_speaker = group[order], speaker[order]
        new = np.append(True, (np.diff(by_group) != 0) | (np.diff(by_speaker) != 0))
        start = np.flatnonzero(new)
        of_voice = by_group[start]
        low, high = np.searchsorted(of_voice, of_voice, "left"), np.searchsorted(of_voice, of_voice, "right")
        return Crowd(order, np.append(start, len(order)), by_speaker[start], low, high, np.cumsum(new) - 1)


def impostors(crowd: Crowd, quota: Ints, random: np.random.Generator) -> Int[np.ndarray, "pairs 2"]:
    """Pairs (enrolment, test) of utterances of two speakers of one group, `quota` enrolled by each speaker.

    A speaker has fewer only where every pair of its own with the others of its groups is there already. No pair comes
    twice, in whichever order.
    """
    places = np.arange(len(crowd.order))
    # Places that somebody alike is there to be paired with, by speaker.
    able = places[(crowd.high - crowd.low > 1)[crowd.voice]]
    able = able[np.argsort(crowd.speaker[crowd.voice[able]], kind="stable")]
    owner = crowd.speaker[crowd.voice[able]]
    begin, end = (np.searchsorted(owner, np.arange(len(quota)), side) for side in ("left", "right"))
    wanted = np.where(end > begin, quota, 0)
    missing = wanted
    keys, pairs = np.empty(0, dtype=np.int64), np.empty((0, 2), dtype=np.int64)
    for _ in range(_ROUNDS):
        if not missing.any():
            break
        who = random.permutation(np.repeat(np.arange(len(quota)), missing))
        enrol = able[random.integers(begin[who], end[who])]
        keys, pairs = _joined(keys, pairs, _faced(crowd, enrol, random), len(places))
        missing = wanted - np.bincount(crowd.speaker[crowd.voice[pairs[:, 0]]], minlength=len(quota))
    for speaker in np.flatnonzero(missing).tolist():
        left = _left(crowd, able[begin[speaker] : end[speaker]], keys)
        chosen = left[random.permutation(len(left))[: missing[speaker]]]
        keys, pairs = _joined(keys, pairs, chosen, len(places))
    return crowd.order[pairs]


def _faced(crowd: Crowd, enrol: Ints, random: np.random.Generator) -> Int[np.ndarray, "pairs 2"]:
    """Each place with one of another voice of its group: the voices evenly, then their utterances."""
    voice = crowd.voice[enrol]
    drawn = random.integers(crowd.low[voice], crowd.high[voice] - 1)
    other = drawn + (drawn >= voice)
    return np.stack([enrol, random.integers(crowd.first[other], crowd.first[other + 1])], axis=1)


def _joined(
    keys: Ints, pairs: Int[np.ndarray, "pairs 2"], more: Int[np.ndarray, "more 2"], places: int
) -> tuple[Ints, Int[np.ndarray, "all 2"]]:
    """The pairs and those of the new ones that are not there, with their keys, sorted by these."""
    both = np.concatenate([pairs, more])
    fresh = more.min(1) * places + more.max(1)
    # The first of equal keys is kept, and the old stand first.
    merged, at = np.unique(np.concatenate([keys, fresh]), return_index=True)
    return merged, both[at]


def _left(crowd: Crowd, own: Ints, keys: Ints) -> Int[np.ndarray, "left 2"]:
    """All pairs of these places of one speaker with others of their groups that are not among the keys."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for voice in np.unique(crowd.voice[own]):
        low, high = crowd.first[crowd.low[voice]], crowd.first[crowd.high[voice]]
        others = np.arange(low, high)
        others = others[crowd.voice[low:high] != voice]
        mine = np.arange(crowd.first[voice], crowd.first[voice + 1])
        found.append(np.stack([np.repeat(mine, len(others)), np.tile(others, len(mine))], axis=1))
    every = np.concatenate(found)
    return every[~np.isin(every.min(1) * len(crowd.order) + every.max(1), keys)]
