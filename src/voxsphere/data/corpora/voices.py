"""VOiCES, the corpus and the challenge of 2019: all is in the names `Lab41-SRI-VOiCES-rm1-none-sp0032-…-mc01-….wav`.

Names: https://iqtlabs.github.io/voices/Lab41-SRI-VOiCES_README/ (Richey et al. 2018); the challenge's lists
`dev-enroll.lst` (MODEL FILE), `dev-trial-keys.lst` (MODEL FILE tgt|imp) and `….SID.map` (the eval files' true names) as
in hyperion's egs/voices_challenge.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from voxsphere.core.manifest import Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.corpora.prepared import Prepared, gender, official, prepared, rows
from voxsphere.data.folders import is_audio
from voxsphere.data.walk import walk

_NAME = re.compile(
    r"Lab41-SRI-VOiCES-(?P<room>rm\d+|src)-(?:(?P<distractor>none|musi|tele|babb)-)?sp(?P<speaker>\d+)-ch(?P<chapter>\d+)"
    r"-sg(?P<segment>\d+)(?:-mc(?P<microphone>\d+)-(?P<kind>\w+)-(?P<place>\w+)-dg(?P<angle>\d+))?"
)
_SPLITS = {"train": "train", "test": "test", "sid_dev": "dev", "sid_eval": "eval"}
_COLUMNS = ("room", "distractor", "microphone", "kind", "place", "angle")


def from_voices(root: Path) -> Prepared:
    """Recordings of VOiCES; ids are the files' names, sessions the chapter, room, distractor and microphone together.

    Trials `voices_dev` and `voices_eval` where the challenge's lists are there; they name the file of each model. The
    challenge's eval files tell nothing by their names: without its `….SID.map` their speakers are unknown, and the map
    is missing. Genders are those of the corpus's speaker-gender-dataset.tbl.
    """
    found = walk(root)
    truly = _true_names(root, found.files)
    genders = _genders(found.named("Lab41-SRI-VOiCES-speaker-gender-dataset.tbl"))
    heard = [name for name in found.files if is_audio(name) and _ours(name)]
    utterances = [_utterance(root, name, truly, genders) for name in heard]
    there = {utterance.id for utterance in utterances}
    enrolled: dict[str, str] = {}
    missing = list(found.unreadable)
    if not truly and any(not utterance.speaker for utterance in utterances):
        missing.append(str(root / "VOiCES_challenge_2019_eval.SID.map"))
    for name in found.files:
        if re.fullmatch(r"(?:.*/)?[^/]*enroll(?:ment)?\.lst", name):
            enrolled |= {row[0]: Path(row[1]).stem for row in rows(root / name, 2)}
    trials: dict[str, Trials] = {}
    for name in found.files:
        if re.fullmatch(r"(?:.*/)?[^/]*trial-keys\.lst", name):
            short = "voices_eval" if "eval" in name.rpartition("/")[2] else "voices_dev"
            pairs = [
                (enrolled.get(a, Path(a).name), Path(b).stem, c) for a, b, c in (r[:3] for r in rows(root / name, 3))
            ]
            trials[short] = official(root / name, pairs)
            named = dict.fromkeys(each for pair in pairs for each in pair[:2])
            missing += [str(root / f"{each}.wav") for each in named if each not in there]
    return prepared(root, utterances, trials, missing, "Lab41-SRI-VOiCES-rm1-….wav somewhere below it")


def _ours(name: str) -> bool:
    return _NAME.match(name.rpartition("/")[2]) is not None or "sid_eval/" in name


def _true_names(root: Path, files: Iterable[str]) -> dict[str, str]:
    """What the challenge's eval files were called before it hid who speaks in them."""
    maps = [name for name in files if name.endswith(".SID.map")]
    return {Path(row[0]).stem: Path(row[1]).stem for name in maps for row in rows(root / name, 2)}


def _genders(path: Path | None) -> dict[int, str]:
    """Speakers' genders: lines `32 F train-clean-100` below a header, LibriSpeech's numbers."""
    table = rows(path, 2) if path else []
    return {int(row[0]): gender(row[1]) for row in table if row[0].isdecimal()}


def _utterance(root: Path, name: str, truly: Mapping[str, str], genders: Mapping[int, str]) -> Utterance:
    stem = Path(name).stem
    match = _NAME.match(truly.get(stem, stem))
    told = match.groupdict() if match else {}
    columns = [(column, told[column]) for column in _COLUMNS if told.get(column)]
    parts = [told.get("chapter"), told.get("room"), told.get("distractor"), told.get("microphone")]
    return Utterance(
        stem,
        str(root / name),
        f"sp{told['speaker']}" if told else "",
        session="-".join(part for part in parts if part),
        gender=genders.get(int(told["speaker"]), "") if told else "",
        language="en",
        dataset="voices",
        split=next((_SPLITS[part] for part in name.split("/") if part in _SPLITS), ""),
        extra=tuple(columns),
    )
