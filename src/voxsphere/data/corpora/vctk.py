"""VCTK 0.80 (`wav48/p225/p225_001.wav`) and 0.92 (`wav48_silence_trimmed/p225/p225_001_mic1.flac`).

Layout: https://datashare.ed.ac.uk/handle/10283/3443 and lhotse's recipe vctk; speaker-info.txt beside them.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from voxsphere.core.files import read_text
from voxsphere.core.manifest import Utterance
from voxsphere.data.corpora.prepared import Prepared, gender, prepared
from voxsphere.data.walk import walk

_PLACE = re.compile(r"(?:.*/)?wav48(?:_silence_trimmed)?/([^/]+)/(\1_\d+)(?:_(mic[12]))?\.(?:wav|flac)")
# Published without it: the second microphone failed.
_WITHOUT_MIC2 = frozenset({"p280", "p315"})
_COLUMNS = ("age", "gender", "accent", "region")


def from_vctk(root: Path) -> Prepared:
    """VCTK: each speaker was recorded in one session; columns microphone (mic1, mic2), age, accent and region.

    The two microphones heard the same sentence at once: choose one, or keep both in mind when trials are drawn.
    """
    found = walk(root)
    infos = {name.rpartition("/")[2]: root / name for name in found.files if name.endswith("speaker-info.txt")}
    people = _people(read_text(infos["speaker-info.txt"])) if infos else {}
    texts = {name.rpartition("/")[2]: root / name for name in found.files if re.match(r"(?:.*/)?txt/.*\.txt$", name)}
    utterances = []
    for name in found.files:
        if not (match := _PLACE.fullmatch(name)):
            continue
        speaker, key, microphone = match.groups()
        person = people.get(speaker, {})
        extra = {"microphone": microphone, **{column: person.get(column) for column in ("age", "accent", "region")}}
        text = texts.get(f"{key}.txt")
        utterances.append(
            Utterance(
                f"{key}_{microphone}" if microphone else key,
                str(root / name),
                speaker,
                gender=gender(person.get("gender", "")),
                language="en",
                text=" ".join(read_text(text).split()) if text else "",
                dataset="vctk",
                extra=tuple((column, value) for column, value in extra.items() if value),
            )
        )
    missing = [*found.unreadable, *(() if infos else (str(root / "speaker-info.txt"),))]
    missing += _unheard(texts.values(), {utterance.id for utterance in utterances})
    return prepared(root, utterances, {}, missing, "wav48_silence_trimmed/p225/p225_001_mic1.flac below it")


def _unheard(texts: Iterable[Path], there: set[str]) -> Iterator[str]:
    """The recordings of the texts that are not there: each sentence is read, in 0.92 into two microphones."""
    two = any(name.endswith(("_mic1", "_mic2")) for name in there)
    for path in texts:
        folder = path.parents[2] / ("wav48_silence_trimmed" if two else "wav48") / path.parent.name
        names = [f"{path.stem}_mic1", f"{path.stem}_mic2"] if two else [path.stem]
        if path.parent.name in _WITHOUT_MIC2:
            names = names[:1]
        yield from (str(folder / f"{name}{'.flac' if two else '.wav'}") for name in names if name not in there)


def _people(text: str) -> dict[str, dict[str, str]]:
    """Rows `p225 23 F English Southern England`; 0.80 writes the number alone; the region may be of several words."""
    people = {}
    for row in (line.split(maxsplit=4) for line in text.splitlines()[1:]):
        if len(row) >= 4:
            speaker = f"p{row[0]}" if row[0].isdecimal() else row[0]
            # From 0.92 on, a remark in brackets may follow, about files that are not there.
            region = re.sub(r"\s*\(.*", "", row[4]).strip() if len(row) == 5 else ""
            people[speaker] = dict(zip(_COLUMNS, (row[1], row[2], row[3], region), strict=True))
    return people
