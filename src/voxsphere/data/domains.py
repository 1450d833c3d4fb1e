"""Domains: what a column of the manifest says of each utterance, beside who speaks."""

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance

_COLUMNS = ("dataset", "gender", "language", "session", "split")


def domain_of(utterance: Utterance, column: str) -> str:
    """What the column says of the utterance; "" where it says nothing."""
    return str(getattr(utterance, column)) if column in _COLUMNS else dict(utterance.extra).get(column, "")


def check_domain(manifest: Manifest, column: str, name: str) -> None:
    """`BadInput` unless the column tells the domain of every utterance; "" asks for none. `name` is the manifest's."""
    if not column:
        return
    silent = sum(not domain_of(utterance, column) for utterance in manifest)
    if silent == len(manifest):
        there = [each for each in _COLUMNS if any(domain_of(utterance, each) for utterance in manifest)]
        there += sorted({key for utterance in manifest for key, _ in utterance.extra})
        raise BadInput(f"{name}: no column {column!r} tells domains; there are: {', '.join(there) or 'none'}")
    if silent:
        raise BadInput(f"{name}: {silent} of {len(manifest)} utterances have no {column}; fill the column")
