"""Trials drawn from a manifest: balanced over its speakers, hard where it is asked for, the same for the same seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.core.trials import Trials
from voxsphere.data.impostors import Crowd, impostors
from voxsphere.data.people import check_named, person

Ints = Int[np.ndarray, " n"]


@dataclass(frozen=True)
class Drawn:
    """Trials, and what could not be done as asked, a sentence each."""

    trials: Trials
    notes: tuple[str, ...]


def draw(
    manifest: Manifest,
    *,
    targets: int | None = None,
    nontargets_per_target: int = 5,
    same_gender: bool = True,
    same_language: bool = False,
    same_dataset: bool = True,
    cross_session: bool = True,
    seed: int = 0,
) -> Drawn:
    """Target and non-target trials in a random order; no pair twice, either way round, none of a recording and itself.

    `targets` pairs (None: all there are) are dealt evenly to the speakers: two differ by more than one only where the
    one with fewer has no more. Across sessions, a speaker's pairs are of two sessions (of two files, where no session
    is known); a speaker of one session keeps pairs within it, and a note says so. Each speaker then enrols
    `nontargets_per_target` times as often against others, who are drawn evenly, each with an utterance of theirs:
    others of the same gender, language and data set where that is asked for. What is unknown counts as one gender, one
    language, one data set. Copies at another speed are left out. The draw depends on the seed and on the utterances,
    not on their order.

    Raises `BadInput` where there is no target pair, or non-targets are asked for and there is none.
    """
    check_named(manifest, "trials")
    if (targets is not None and targets < 1) or nontargets_per_target < 0:
        raise BadInput(f"{targets} targets, {nontargets_per_target} non-targets each: give 1 and 0 or more")
    random = stream("trials", seed)
    utterances = sorted((u for u in manifest if u.speed == 1), key=lambda u: (person(u), u.session or u.path, u.id))
    speaker = _numbered(utterances, person)
    session = _numbered(utterances, lambda u: (person(u), u.session or u.path))
    numbering = _Numbering.of(speaker, session if cross_session else np.arange(len(utterances)))
    quota = _dealt(numbering.sizes, targets, random)
    picked = numbering.pairs(_without_replacement(numbering.first, numbering.sizes, quota, random))
    if not len(picked):
        raise BadInput("no speaker has two utterances: there is no target trial to draw")
    alike = _alike(utterances, same_gender, same_language, same_dataset)
    others = impostors(Crowd.of(speaker, alike), quota * nontargets_per_target, random)
    if nontargets_per_target and not len(others):
        raise BadInput(
            "nobody drawn has others alike to be tried against; let non-targets differ in gender, language or data set"
        )
    notes = _notes(utterances, numbering, targets, len(picked), nontargets_per_target, len(others), cross_session)
    return Drawn(_trials(utterances, picked, others, random), notes)


def _numbered(utterances: Sequence[Utterance], key: Callable[[Utterance], object]) -> Ints:
    """A number for each key, in order of appearance."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(key(utterance), len(numbers)) for utterance in utterances], dtype=np.int64)


def _alike(utterances: Sequence[Utterance], gender: bool, language: bool, dataset: bool) -> Ints:
    """The number of each utterance's group: the two of a non-target trial are of one."""
    return _numbered(
        utterances, lambda u: (u.gender if gender else "", u.language if language else "", u.dataset if dataset else "")
    )


@dataclass(frozen=True)
class _Numbering:
    """All target pairs, numbered through: those whose earlier utterance is `i` end at `ends[i]`.

    An utterance goes with those of its speaker from `after[i]` on. A speaker's pairs have `sizes` consecutive numbers
    from `first` on; `within` tells the speakers whose pairs had to be taken within one session.
    """

    after: Ints
    ends: Ints
    first: Ints
    sizes: Ints
    within: int

    @staticmethod
    def of(speaker: Ints, session: Ints) -> "_Numbering":
        """The pairs across sessions of speakers numbered from 0 up; both arrays are sorted."""
        place = np.arange(len(speaker))
        stop = np.searchsorted(speaker, speaker, "right")
        after = np.searchsorted(session, session, "right")
        one = after[np.searchsorted(speaker, speaker, "left")] == stop  # all its utterances are of one session
        after = np.where(one, place + 1, after)
        ends = np.cumsum(stop - after)
        last = np.searchsorted(speaker, np.arange(speaker[-1] + 1 if len(speaker) else 0), "right") - 1
        sizes = np.diff(ends[last], prepend=0)
        return _Numbering(after, ends, ends[last] - sizes, sizes, int((one[last] & (sizes > 0)).sum()))

    def pairs(self, numbers: Ints) -> Int[np.ndarray, "pairs 2"]:
        """The pairs of these numbers."""
        earlier = np.searchsorted(self.ends, numbers, "right")
        begin = np.concatenate([[0], self.ends])[earlier]
        return np.stack([earlier, self.after[earlier] + numbers - begin], axis=1)


def _dealt(sizes: Ints, wanted: int | None, random: np.random.Generator) -> Ints:
    """How many pairs each speaker gives: as evenly as their sizes allow."""
    if wanted is None or wanted >= sizes.sum():
        return sizes.copy()
    low, high = 0, int(sizes.max())
    while low < high:  # the highest level that does not give more than wanted
        level = (low + high + 1) // 2
        low, high = (level, high) if np.minimum(sizes, level).sum() <= wanted else (low, level - 1)
    quota: Ints = np.minimum(sizes, low)
    more = random.permutation(np.flatnonzero(sizes > low))[: wanted - int(quota.sum())]
    quota[more] += 1
    return quota


def _without_replacement(first: Ints, sizes: Ints, quota: Ints, random: np.random.Generator) -> Ints:
    """`quota` different numbers of each range of `sizes` numbers from `first` on."""
    # Where most numbers are wanted, those left out are drawn: redrawing what came twice stays quick.
    most = quota > sizes // 2
    draws = np.where(most, sizes - quota, quota)
    found = np.empty(0, dtype=np.int64)
    missing = draws
    while missing.any():
        owner = np.repeat(np.arange(len(sizes)), missing)
        found = np.union1d(found, first[owner] + random.integers(0, sizes[owner]))
        missing = draws - np.diff(np.searchsorted(found, np.append(first, first[-1] + sizes[-1])))
    dense = np.flatnonzero(most)
    whole = np.repeat(first[dense] - np.append(0, np.cumsum(sizes[dense]))[:-1], sizes[dense])
    chosen: Ints = np.setxor1d(found, whole + np.arange(len(whole)), assume_unique=True)
    return chosen


def _notes(
    utterances: Sequence[Utterance],
    numbering: _Numbering,
    wanted: int | None,
    found: int,
    each: int,
    others: int,
    cross_session: bool,
) -> tuple[str, ...]:
    notes = []
    if cross_session and not any(utterance.session for utterance in utterances):
        notes.append("no session is known: targets are pairs of two files")
    elif cross_session and numbering.within:
        able = int((numbering.sizes > 0).sum())
        notes.append(f"{numbering.within} of {able} speakers have one session only: their targets are within it")
    if wanted is not None and found < wanted:
        notes.append(f"{found} targets instead of {wanted}: the speakers have no more pairs")
    if others < each * found:
        notes.append(f"{others} non-targets instead of {each * found}: some speakers have no more that are alike")
    return tuple(notes)


def _trials(
    utterances: Sequence[Utterance],
    targets: Int[np.ndarray, "targets 2"],
    nontargets: Int[np.ndarray, "nontargets 2"],
    random: np.random.Generator,
) -> Trials:
    """The pairs in a random order, each target pair either way round."""
    turned = random.random(len(targets)) < 0.5
    targets = np.where(turned[:, None], targets[:, ::-1], targets)
    order = random.permutation(len(targets) + len(nontargets))
    rows = np.concatenate([targets, nontargets])[order]
    used, place = np.unique(rows, return_inverse=True)
    place = place.reshape(rows.shape)
    ids = tuple(utterances[row].id for row in used)
    return Trials(ids, place[:, 0], place[:, 1], (order < len(targets)))
