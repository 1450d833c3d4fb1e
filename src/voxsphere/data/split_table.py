"""A manifest's splits from a table of speakers, and speakers named so that two data sets do not mix them up."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded, read_text
from voxsphere.core.manifest import Manifest, Utterance


def with_splits(manifest: Manifest, table: str) -> Manifest:
    """Each utterance's split as a table `speaker split`, perhaps with `dataset`, tells; unchanged where it is "".

    A speaker whom the table does not name has no split. The path may name environment variables.
    """
    if not table:
        return manifest
    part_of = _read(expanded(table))

    def part(utterance: Utterance) -> str:
        return part_of.get((utterance.dataset, utterance.speaker)) or part_of.get(("", utterance.speaker), "")

    return Manifest(tuple(replace(utterance, split=part(utterance)) for utterance in manifest))


def named(manifest: Manifest) -> Manifest:
    """Speakers as dataset/speaker: two data sets may use one name for two people. Who is not told stays nobody."""

    def whole(utterance: Utterance) -> Utterance:
        if not (utterance.dataset and utterance.speaker):
            return utterance
        return replace(utterance, speaker=f"{utterance.dataset}/{utterance.speaker}")

    return Manifest(tuple(map(whole, manifest)))


def shared_dataset(speakers: Sequence[str]) -> str:
    """What all these names of `named` begin with, "dataset/", where they are of one data set; else ""."""
    sets = {name.partition("/")[0] if "/" in name else "" for name in speakers}
    only = sets.pop() if len(sets) == 1 else ""
    return f"{only}/" if only else ""


def _read(path: str) -> dict[tuple[str, str], str]:
    rows = csv.DictReader(io.StringIO(read_text(path)), delimiter="\t")
    if not {"speaker", "split"} <= set(rows.fieldnames or ()):
        raise BadInput(f"{path}: a table of splits has the columns speaker and split, and perhaps dataset")
    return {(row.get("dataset") or "", row["speaker"]): row["split"] for row in rows}
