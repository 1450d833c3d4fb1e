"""Who an utterance is of: the same name in two data sets is two people, a copy at another speed is the same one."""

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance

Person = tuple[str, str]
"""The data set ("" where it is unknown) and the name of the speaker in it."""


def person(utterance: Utterance) -> Person:
    """Who speaks; the further speakers of `Manifest.with_speeds_as_speakers` are the people they were made of."""
    name = utterance.speaker
    return utterance.dataset, name.removesuffix(f"@{utterance.speed:g}") if utterance.speed != 1 else name


def check_named(manifest: Manifest, purpose: str) -> None:
    """`BadInput` for an empty manifest and for an utterance without a speaker: neither serves for `purpose`."""
    if not len(manifest):
        raise BadInput(f"the manifest is empty; {purpose} need utterances")
    nameless = [utterance.id for utterance in manifest if not utterance.speaker]
    if nameless:
        more = f" ({len(nameless)} such utterances)" if len(nameless) > 1 else ""
        raise BadInput(f"utterance {nameless[0]!r} names no speaker{more}; {purpose} need to know who speaks")
