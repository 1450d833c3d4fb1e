"""A manifest split by speakers: those who teach, and those held out to judge."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.random import stream
from voxsphere.data.people import Person, check_named, person

Stratum = tuple[str, str]
"""The data set and the gender, "" for what is unknown."""


def split(manifest: Manifest, *, held_out: float | int, seed: int) -> tuple[Manifest, Manifest]:
    """The manifest of the speakers who teach, and that of the speakers held out; rows keep their order.

    `held_out` is a share of the speakers (a float between 0 and 1; at least two speakers) or their number (an int).
    Speakers are drawn within data sets and genders where those are known, in proportion to the speakers who have two
    utterances or more: the others can make no target trial and are held out only where too few are left. They are
    drawn two by two, so that whoever is held out has somebody alike to be mistaken for. Who is drawn depends on the
    seed and on the set of speakers (their data sets, genders, and whether they have two utterances), never on the
    order of the rows. Copies at another speed stay with the speaker they were made of.

    Raises `BadInput` for utterances without a speaker, and where no speaker would be left on one of the sides.
    """
    check_named(manifest, "splits")
    strata = _strata(manifest)
    number = _number(held_out, len(strata))
    several = Counter(person(u) for u in manifest if u.speed == 1)
    useful = {who: stratum for who, stratum in strata.items() if several[who] > 1}
    chosen = _drawn(useful, min(number, len(useful)), seed)
    rest = {who: stratum for who, stratum in strata.items() if who not in chosen and who not in useful}
    chosen |= _drawn(rest, number - len(chosen), seed)
    teaching = tuple(utterance for utterance in manifest if person(utterance) not in chosen)
    judging = tuple(utterance for utterance in manifest if person(utterance) in chosen)
    return Manifest(teaching), Manifest(judging)


def marked(manifest: Manifest, held_out: Manifest) -> Manifest:
    """The manifest with its `split` column saying `held_out` for those utterances and `train` for the others."""
    out = set(held_out.ids)
    return Manifest(tuple(replace(u, split="held_out" if u.id in out else "train") for u in manifest))


def _strata(manifest: Manifest) -> dict[Person, Stratum]:
    """The data set of each speaker, and the gender most of the utterances state."""
    genders: dict[Person, Counter[str]] = defaultdict(Counter)
    for utterance in manifest:
        genders[person(utterance)][utterance.gender] += bool(utterance.gender)
    # Ties go to the first name in the alphabet: the order of the rows must not decide.
    return {who: (who[0], min(found, key=lambda name: (-found[name], name))) for who, found in genders.items()}


def _number(held_out: float | int, speakers: int) -> int:
    if isinstance(held_out, float) and not 0 < held_out < 1:
        raise BadInput(f"a share of {held_out:g} cannot be held out; give one between 0 and 1, or a whole number")
    number = max(2, round(held_out * speakers)) if isinstance(held_out, float) else held_out
    if not 0 < number < speakers:
        raise BadInput(f"{number} of {speakers} speakers cannot be held out; some are to be on either side")
    return number


def _drawn(strata: Mapping[Person, Stratum], number: int, seed: int) -> set[Person]:
    """So many of these speakers, fairly from each stratum."""
    if number == 0:
        return set()
    members: dict[Stratum, list[Person]] = defaultdict(list)
    for who, stratum in strata.items():
        members[stratum].append(who)
    # One stream a speaker: a speaker who joins or leaves the corpus moves few others to the other side.
    lot = {who: stream("split", seed, *who).random() for who in strata}
    quota = _quotas({stratum: len(people) for stratum, people in members.items()}, number)
    return {who for stratum, n in quota.items() for who in sorted(members[stratum], key=lambda w: (lot[w], w))[:n]}


def _quotas(sizes: Mapping[Stratum, int], number: int) -> dict[Stratum, int]:
    """`number` seats in proportion to the sizes, to within two, and in twos as far as that allows."""
    total = sum(sizes.values())
    fair = {stratum: number * sizes[stratum] / total for stratum in sorted(sizes)}
    quota = {stratum: 2 * math.floor(share / 2) for stratum, share in fair.items()}

    def owed(stratum: Stratum) -> float:
        return fair[stratum] - quota[stratum]

    while number - sum(quota.values()) > 1:
        due = [stratum for stratum in fair if owed(stratum) >= 1 and quota[stratum] + 2 <= sizes[stratum]]
        if not due:
            break
        quota[max(due, key=owed)] += 2
    for _ in range(number - sum(quota.values())):
        free = [stratum for stratum in fair if quota[stratum] < sizes[stratum]]
        # A single seat rather goes where there are others, unless they have more than is fair already.
        quota[max(free, key=lambda stratum: (quota[stratum] > 0 and owed(stratum) > -1, owed(stratum)))] += 1
    return quota
