"""Speakers in the Wild: `{dev,eval}/{audio,lists,keys}`; layout from its README (McLaren et al. 2016).

`lists/enroll-core.lst` holds MODEL FILE, `keys/CONDITION.lst` MODEL FILE tgt|imp, and `keys/meta.lst` a line a file
and person heard: path, speaker, gender, microphone, session, start, end, number of speakers, …
"""

from pathlib import Path

from voxsphere.core.files import read_text
from voxsphere.core.manifest import Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.corpora.prepared import Prepared, gender, official, prepared, rows
from voxsphere.data.walk import walk

_PARTS = ("dev", "eval")
_CORE = ("core-core", "core-multi")


def from_sitw(root: Path) -> Prepared:
    """Both parts that are there; ids PART/audio/FILE.flac, trials `dev_core-core`, `eval_core-core`, `…_core-multi`.

    Trials name the file that a model is enrolled with. Where meta.lst names several people of a file, it stands without
    a speaker and a gender: `core-core` asks about files of one. The column microphone is that of meta.lst.
    """
    found = walk(root)
    utterances: list[Utterance] = []
    trials: dict[str, Trials] = {}
    missing = list(found.unreadable)
    for part in _PARTS:
        folder = root / part
        if not folder.is_dir():
            missing.append(str(folder))
            continue
        heard = _people(folder)
        utterances += [_utterance(root, name, part, heard) for name in found.files if _is_heard(name, part)]
        there = {utterance.id for utterance in utterances}
        models = folder / "lists" / "enroll-core.lst"
        missing += [str(path) for path in (models, folder / "keys" / "meta.lst") if not path.exists()]
        enrolled = {row[0]: f"{part}/{row[1]}" for row in rows(models, 2)} if models.exists() else {}
        for condition in _CORE:
            path = folder / "keys" / f"{condition}.lst"
            if not path.exists() or not enrolled:
                missing += [] if path.exists() else [str(path)]
                continue
            pairs = [(enrolled.get(a, a), f"{part}/{b}", c) for a, b, c in (row[:3] for row in rows(path, 3))]
            trials[f"{part}_{condition}"] = official(path, pairs)
            named = dict.fromkeys(name for pair in pairs for name in pair[:2])
            missing += [str(root / name) for name in named if name not in there]
    return prepared(root, utterances, trials, missing, "dev/audio/….flac and eval/audio/….flac below it")


def _is_heard(name: str, part: str) -> bool:
    return name.startswith(f"{part}/audio/") and name.endswith((".flac", ".wav"))


def _people(folder: Path) -> dict[str, list[list[str]]]:
    """The lines of meta.lst for each file."""
    path = folder / "keys" / "meta.lst"
    heard: dict[str, list[list[str]]] = {}
    for line in read_text(path).splitlines() if path.exists() else []:
        if len(row := line.split()) >= 5:
            heard.setdefault(Path(row[0]).stem, []).append(row)
    return heard


def _utterance(root: Path, name: str, part: str, heard: dict[str, list[list[str]]]) -> Utterance:
    lines = heard.get(Path(name).stem, [])
    alone = lines[0] if len({line[1] for line in lines}) == 1 else ["", "", "", "", ""]
    return Utterance(
        name,
        str(root / name),
        alone[1],
        session=lines[0][4] if lines else "",
        gender=gender(alone[2]),
        dataset="sitw",
        split=part,
        extra=(("microphone", alone[3]),) if alone[3] else (),
    )
