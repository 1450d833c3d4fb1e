"""What preparing a corpus gives, with the little that every corpus needs for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_text
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials


@dataclass(frozen=True)
class Prepared:
    """A corpus: its manifest, its official trial lists by short name, and the paths that it should have and has not.

    The lists name the manifest's ids; where a recording is missing, its list still names it as the list's file does.
    """

    manifest: Manifest
    trials: Mapping[str, Trials]
    missing: tuple[str, ...]


def prepared(
    root: Path, utterances: Iterable[Utterance], trials: Mapping[str, Trials], missing: Iterable[str], expected: str
) -> Prepared:
    """The parts put together; `BadInput` tells what is `expected` below `root` if there is no utterance."""
    manifest = Manifest(tuple(utterances))
    if not len(manifest):
        raise BadInput(f"{root}: holds none of the corpus; {expected} is expected")
    return Prepared(manifest, trials, tuple(dict.fromkeys(missing)))


def rows(path: Path, fields: int) -> list[list[str]]:
    """The lines of a list, split at blanks; `BadInput` names one with fewer than so many fields."""
    split = [(number, line.split()) for number, line in enumerate(read_text(path).splitlines(), start=1)]
    for number, row in split:
        if row and len(row) < fields:
            raise BadInput(f"{path}: line {number} has {len(row)} fields where {fields} are expected")
    return [row for _, row in split if row]


def official(path: Path, trials: Iterable[tuple[str, str, str]]) -> Trials:
    """A corpus's trial list from (enrolment, test, label); labels are 1/0, tgt/imp or target/nontarget."""
    known = {"1": True, "tgt": True, "target": True, "0": False, "imp": False, "nontarget": False}
    listed = list(trials)
    if strange := next((row for row in listed if row[2] not in known), None):
        raise BadInput(f"{path}: {strange[2]!r} of {strange[0]} {strange[1]} says neither same speaker nor different")
    return Trials.from_pairs((r[0] for r in listed), (r[1] for r in listed), [known[r[2]] for r in listed])


def gender(text: str) -> str:
    """`m` or `f` from what corpora write for them (M, male, Female …), else nothing."""
    first = text.strip().lower()[:1]
    return first if first in ("m", "f") else ""
