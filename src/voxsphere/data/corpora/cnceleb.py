"""CN-Celeb1 (`data/`, `dev/dev.lst`, `eval/{enroll,test,lists}`) and CN-Celeb2 (`data/`); OpenSLR 82 (Fan et al. 2020).

Lists as Kaldi's egs/cnceleb make_cnceleb.sh reads them; files are named GENRE-SESSION-NUMBER.
"""

import re
from dataclasses import replace
from pathlib import Path

from voxsphere.core.manifest import Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.corpora.prepared import Prepared, official, prepared, rows
from voxsphere.data.walk import walk

# CN-Celeb1 numbers its people from 0 and tests with the last of them; CN-Celeb2 numbers its own from 10000.
_FIRST_OF_TEST, _FIRST_OF_CNCELEB2 = "id00800", "id10000"
_DATA = re.compile(r"(?:.*/)?data/(id\d+)/(([^/]+)-(\d+)-\d+)\.(?:flac|wav)")
_TEST = re.compile(r"(?:.*/)?eval/test/((id\d+)-([^/]+)-(\d+)-\d+)\.(?:flac|wav)")
_ENROL = re.compile(r"(?:.*/)?eval/enroll/((id\d+)-enroll)\.(?:flac|wav)")


def from_cnceleb(root: Path) -> Prepared:
    """CN-Celeb1, CN-Celeb2 or both: `split` dev, eval or test, sessions GENRE-NUMBER, column genre; trials `cnceleb_e`.

    Speakers of `data/` that dev.lst leaves out are left out here: their recordings are those of eval/, cut otherwise.
    Without dev.lst, those of id00800 to id00999, with whom CN-Celeb tests, are of split test if eval/ has them not. An
    enrolment is put together from several recordings, so it has no session.
    """
    found = walk(root)
    listed = found.named("dev.lst")
    developing = {row[0] for row in rows(listed, 1)} if listed else set()
    evaluated = {match[2] for name in found.files if (match := _TEST.fullmatch(name) or _ENROL.fullmatch(name))}
    utterances = []
    for name in found.files:
        utterance = _utterance(name, str(root / name))
        if utterance is None or (utterance.split == "dev" and utterance.speaker in evaluated):
            continue
        # CN-Celeb2 has no list: everybody in it is for development.
        if utterance.split == "dev" and utterance.speaker < _FIRST_OF_CNCELEB2:
            if developing and utterance.speaker not in developing:
                continue
            if not developing and utterance.speaker >= _FIRST_OF_TEST:
                utterance = replace(utterance, split="test")
        utterances.append(utterance)
    missing = list(found.unreadable)
    first_edition = any(utterance.speaker < _FIRST_OF_CNCELEB2 for utterance in utterances)
    if first_edition and listed is None:
        missing.append(str(root / "dev" / "dev.lst"))
    if first_edition and not evaluated:
        missing.append(str(root / "eval"))
    there = {utterance.id for utterance in utterances}
    trials: dict[str, Trials] = {}
    if path := found.named("trials.lst"):
        pairs = [(row[0], _stem(row[1]), row[2]) for row in rows(path, 3)]
        trials["cnceleb_e"] = official(path, pairs)
        folder = path.parent.parent
        names = {a: f"enroll/{a}" for a, _, _ in pairs} | {b: f"test/{b}" for _, b, _ in pairs}
        # The lists say wav of either edition: what is missing has the form that the other recordings have.
        suffix = Path(utterances[0].path).suffix if utterances else ".flac"
        missing += [f"{folder / place}{suffix}" for name, place in names.items() if name not in there]
    elif evaluated:
        missing.append(str(root / "eval" / "lists" / "trials.lst"))
    return prepared(root, utterances, trials, missing, "data/id00000/singing-01-001.flac below it")


def _utterance(name: str, path: str) -> Utterance | None:
    if match := _DATA.fullmatch(name):
        speaker, rest, genre, number = match.groups()
        key, split = f"{speaker}-{rest}", "dev"
    elif match := _TEST.fullmatch(name):
        key, speaker, genre, number = match.groups()
        split = "eval"
    elif match := _ENROL.fullmatch(name):
        return Utterance(match[1], path, match[2], language="zh", dataset="cnceleb", split="eval")
    else:
        return None
    session, extra = f"{genre}-{number}", (("genre", genre),)
    return Utterance(key, path, speaker, session=session, language="zh", dataset="cnceleb", split=split, extra=extra)


def _stem(name: str) -> str:
    """`id00800-singing-01-005` of `test/id00800-singing-01-005.wav`: the lists say wav where the files are flac."""
    return Path(name).stem
