"""UPC's speaker lab (PAV): `mcp/BLOCK00/SES000/SA000S00.mcp` or `speecon/…wav`, with the lists all.train and all.test.

Recordings of SPEECON in Spanish at 8 kHz; the features are made of them outside, a file (see `audio.fmatrix`) each.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from voxsphere.audio.fmatrix import SUFFIXES
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, read_text
from voxsphere.core.manifest import Utterance
from voxsphere.data.corpora.prepared import Prepared, prepared
from voxsphere.data.folders import is_audio
from voxsphere.data.walk import Walk, walk

TRAIN, VALIDATION, INDEX = "all.train", "all.test", "spk2idx.json"
"""The lab's lists and its numbers of speakers. It tests on all.test while it trains, and chooses a checkpoint by it."""

SOURCE = "source.tsv"
"""Of a corpus in the lab's form (`forms.spkid_mlp`), what each file is made of: then the lab is not of SPEECON."""


def from_pav(root: Path, *, train: str = TRAIN, validation: str = VALIDATION, spk2idx: str = INDEX) -> Prepared:
    """The lab: ids are the lists' entries, the speaker is the second folder (SES000).

    The path is the entry's feature file where there is one (.mcp before .lpc, .lpcc, .mfcc, .fmatrix), else its
    recording; what there is besides becomes columns named after the suffix. all.train has split `train`, all.test
    `validation`. Where spk2idx.json is, its numbers are the column `index`: they may have a hole, for as the lab made
    it the file counts itself among the speakers, as `spk2idx`. Lists and numbers may be called otherwise;
    `spk2idx=""` takes no numbers. Where a table source.tsv is, data set and language are not told.
    """
    found = walk(root)
    index = speaker_index(path) if spk2idx and (path := found.named(spk2idx)) else {}
    kept = _files(found)
    utterances, seen, missing = [], set(), [*found.unreadable]
    for name, split in ((train, "train"), (validation, "validation")):
        listing = found.named(name)
        if listing is None:
            missing.append(str(root / name if "/" in name else root / "cfg" / name))
            continue
        for number, line in enumerate(read_text(listing).splitlines(), start=1):
            if not (entry := line.strip()):
                continue
            where = f"{listing}: line {number}"
            speaker = _speaker(entry, where)
            if entry in seen:
                raise BadInput(f"{where}: {entry} stands there already, or in another list; one of them is wrong")
            seen.add(entry)
            if index and speaker not in index:
                raise BadInput(f"{where}: speaker {speaker} is not in {path}; leave that file away to number anew")
            if not (files := kept.get(entry)):
                missing.append(str(root / entry))
                continue
            utterances.append(_utterance(entry, speaker, split, files, index))
    if found.named(SOURCE):
        utterances = [replace(utterance, dataset="", language="") for utterance in utterances]
    return prepared(root, utterances, {}, missing, "cfg/all.train and mcp/BLOCK00/SES000/SA000S00.mcp below it")


def speaker_index(path: str | Path) -> dict[str, int]:
    """The lab's spk2idx.json: a number for each speaker; its bogus key `spk2idx` is left out."""
    content: Any = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(n, int) and n >= 0 for n in content.values()):
        raise BadInput(f"{path}: is no object of speakers and their numbers, such as {json.dumps({'SES000': 0})}")
    index = {name: number for name, number in content.items() if name != "spk2idx"}
    if len(set(index.values())) < len(index):
        raise BadInput(f"{path}: gives two speakers one number; leave the file away to number them anew")
    return index


def _speaker(entry: str, where: str) -> str:
    parts = entry.split("/")
    if len(parts) < 3 or entry.split() != [entry]:
        raise BadInput(f"{where} is not BLOCKxx/SESyyy/SAyyySzz, whose second folder is the speaker")
    return parts[1]


def _files(found: Walk) -> dict[str, dict[str, str]]:
    """For each entry, its files by suffix. The entry is the end of the path, whatever folders lie above."""
    kept: dict[str, dict[str, str]] = {}
    for name in found.files:
        stem, suffix = os.path.splitext(name)
        if suffix in SUFFIXES or is_audio(name):
            kept.setdefault("/".join(stem.split("/")[-3:]), {}).setdefault(suffix, str(found.root / name))
    return kept


def _utterance(entry: str, speaker: str, split: str, files: Mapping[str, str], index: Mapping[str, int]) -> Utterance:
    first, *others = sorted(files, key=lambda suffix: (SUFFIXES.index(suffix) if suffix in SUFFIXES else 99, suffix))
    extra = {suffix.removeprefix("."): files[suffix] for suffix in others}
    if speaker in index:
        extra["index"] = str(index[speaker])
    return Utterance(
        entry,
        files[first],
        speaker,
        language="es",
        dataset="pav",
        split=split,
        extra=tuple(sorted(extra.items())),
    )
