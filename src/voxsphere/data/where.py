"""The utterances of a manifest whose columns say what is asked."""

from collections.abc import Sequence

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance


def where(manifest: Manifest, conditions: Sequence[str]) -> Manifest:
    """The utterances that meet all of the conditions, each `column=value`; of VoxCeleb1 `set=test` are 40 people.

    `BadInput` for what is no condition, and where no utterance meets them.
    """
    asked = [condition.partition("=")[::2] for condition in conditions]
    for condition, (name, _) in zip(conditions, asked, strict=True):
        if "=" not in condition or not name:
            raise BadInput(f"--where {condition}: a condition is COLUMN=VALUE")
    kept = tuple(u for u in manifest if all(_said(u, name) == value for name, value in asked))
    if not kept:
        raise BadInput(f"--where {' '.join(conditions)}: none of {len(manifest)} utterances is so")
    return Manifest(kept)


def _said(utterance: Utterance, column: str) -> str:
    """What a column says of the utterance; nothing where there is no such column."""
    own = None if column == "extra" else getattr(utterance, column, None)
    return dict(utterance.extra).get(column, "") if own is None else str(own)
