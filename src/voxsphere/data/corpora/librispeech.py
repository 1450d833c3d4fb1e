"""LibriSpeech: `SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER-0000.flac` with SPEAKERS.TXT; OpenSLR 12 (Panayotov 2015)."""

import re
from pathlib import Path

from voxsphere.core.files import read_text
from voxsphere.core.manifest import Utterance
from voxsphere.data.corpora.prepared import Prepared, gender, prepared
from voxsphere.data.walk import walk

_PLACE = re.compile(r"(?:.*/)?([^/]+)/(\d+)/(\d+)/(\2-\3-\d+)\.(?:flac|wav)")


def from_librispeech(root: Path) -> Prepared:
    """LibriSpeech, all subsets that are there; sessions are chapters, text from `.trans.txt`.

    `split` is train, dev or test; the column subset says which of them (train-clean-100).
    """
    found = walk(root)
    texts: dict[str, str] = {}
    genders: dict[str, str] = {}
    listed: dict[str, str] = {}
    for name in found.files:
        if name.endswith(".trans.txt"):
            lines = [line.split(maxsplit=1) for line in read_text(root / name).splitlines() if line.strip()]
            texts |= {line[0]: line[1] if len(line) == 2 else "" for line in lines}
            listed |= {line[0]: f"{name.rpartition('/')[0]}/{line[0]}.flac" for line in lines}
        elif name.rpartition("/")[2] == "SPEAKERS.TXT":
            genders = _genders(read_text(root / name))
    utterances = []
    for name in found.files:
        if match := _PLACE.fullmatch(name):
            subset, speaker, chapter, key = match.groups()
            utterances.append(
                Utterance(
                    key,
                    str(root / name),
                    speaker,
                    session=chapter,
                    gender=genders.get(speaker, ""),
                    language="en",
                    text=texts.get(key, ""),
                    dataset="librispeech",
                    split=subset.partition("-")[0],
                    extra=(("subset", subset),),
                )
            )
    chapters = {path.rpartition("/")[0]: f"{u.speaker}-{u.session}.trans.txt" for u in utterances for path in (u.path,)}
    there = {utterance.id for utterance in utterances}
    missing = [*found.unreadable, *(str(root / place) for key, place in listed.items() if key not in there)]
    missing += [path for folder, file in chapters.items() if not Path(path := f"{folder}/{file}").exists()]
    if not genders:
        missing.append(str(root / "SPEAKERS.TXT"))
    return prepared(root, utterances, {}, missing, "dev-clean/84/121123/84-121123-0000.flac below it")


def _genders(text: str) -> dict[str, str]:
    """The gender of each reader: `14 | F | train-clean-360 | 25.03 | Name`, comments begin with `;`."""
    lines = [line.split("|") for line in text.splitlines() if not line.startswith(";") and line.count("|") >= 2]
    return {line[0].strip(): gender(line[1]) for line in lines}
