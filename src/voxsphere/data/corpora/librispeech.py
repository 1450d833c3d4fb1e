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

    `split` is train, dev or test; the column subset says which of them (train-clean-100). Missing are also the readers
    whom SPEAKERS.TXT has in these subsets.
    """
    found = walk(root)
    texts: dict[str, str] = {}
    readers: dict[str, tuple[str, str]] = {}
    listed: dict[str, str] = {}
    for name in found.files:
        if name.endswith(".trans.txt"):
            lines = [line.split(maxsplit=1) for line in read_text(root / name).splitlines() if line.strip()]
            texts |= {line[0]: line[1] if len(line) == 2 else "" for line in lines}
            listed |= {line[0]: f"{name.rpartition('/')[0]}/{line[0]}.flac" for line in lines}
        elif name.rpartition("/")[2] == "SPEAKERS.TXT":
            readers = _readers(read_text(root / name))
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
                    gender=readers[speaker][0] if speaker in readers else "",
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
    heard = {utterance.speaker for utterance in utterances}
    # A download is of some subsets: of the others nobody is missing.
    subsets = {dict(utterance.extra)["subset"]: Path(utterance.path).parents[2] for utterance in utterances}
    absent = [(subset, name) for name, (_, subset) in readers.items() if subset in subsets and name not in heard]
    missing += [str(subsets[subset] / name) for subset, name in absent]
    if not readers:
        missing.append(str(root / "SPEAKERS.TXT"))
    return prepared(root, utterances, {}, missing, "dev-clean/84/121123/84-121123-0000.flac below it")


def _readers(text: str) -> dict[str, tuple[str, str]]:
    """Each reader's gender and subset: `14 | F | train-clean-360 | 25.03 | Name`, comments begin with `;`."""
    lines = [line.split("|") for line in text.splitlines() if not line.startswith(";") and line.count("|") >= 2]
    return {line[0].strip(): (gender(line[1]), line[2].strip()) for line in lines}
