"""CHiME-5 and CHiME-6: `transcriptions/SET/S02.json` and `audio/SET/S02_P05.wav`, the microphone its speaker wore.

Layout: https://www.chimechallenge.org/challenges/chime5/data (Barker et al. 2018), Kaldi's egs/chime5 json2text.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json
from voxsphere.core.manifest import Utterance
from voxsphere.data.corpora.prepared import Prepared, prepared
from voxsphere.data.walk import walk

_TIME = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_TRANSCRIPT = re.compile(r"(?:.*/)?transcriptions/([^/]+)/(S\d+)\.json")


@dataclass(frozen=True)
class _Turn:
    """What one transcribed turn says of itself."""

    speaker: str
    start: float
    end: float
    words: str
    location: str


def from_chime5(root: Path) -> Prepared:
    """The transcribed turns, each a part of its own speaker's worn recording; sessions are the dinners (S02).

    `split` is the set, the column location the room. Redacted turns, and turns of no length, are left out.
    """
    found = walk(root)
    there = set(found.files)
    utterances: dict[str, Utterance] = {}
    missing = list(found.unreadable)
    for name in found.files:
        if not (match := _TRANSCRIPT.fullmatch(name)):
            continue
        part, session = match.groups()
        audio = name[: match.start(1) - len("transcriptions/")] + f"audio/{part}/{session}_"
        for turn in _turns(read_json(root / name), root / name):
            path = f"{audio}{turn.speaker}.wav"
            if path not in there:
                missing.append(str(root / path))
                continue
            key = f"{turn.speaker}_{session}-{round(100 * turn.start):07d}-{round(100 * turn.end):07d}"
            utterances.setdefault(key, _utterance(key, str(root / path), session, part, turn))
    expected = "transcriptions/train/S03.json, and audio/train/S03_P09.wav for it,"
    return prepared(root, utterances.values(), {}, missing, expected)


def _utterance(key: str, path: str, session: str, part: str, turn: _Turn) -> Utterance:
    return Utterance(
        key,
        path,
        turn.speaker,
        turn.start,
        round(turn.end - turn.start, 3),
        session=session,
        language="en",
        text=turn.words,
        dataset="chime5",
        split=part,
        extra=(("location", turn.location),) if turn.location else (),
    )


def _turns(content: Any, path: Path) -> Iterator[_Turn]:
    """The turns of a transcript that tell who spoke and when."""
    if not isinstance(content, list):
        raise BadInput(f"{path}: holds no list of turns")
    for number, turn in enumerate(content, start=1):
        where = f"{path}: turn {number}"
        if not isinstance(turn, dict):
            raise BadInput(f"{where} is no object")
        if "speaker" not in turn or "[redacted]" in str(turn.get("words", "")):
            continue
        speaker = str(turn["speaker"])
        start, end = (_seconds(turn.get(key), speaker, f"{where}: {key}") for key in ("start_time", "end_time"))
        if end > start:
            yield _Turn(speaker, start, end, str(turn.get("words", "")).strip(), str(turn.get("location", "")))


def _seconds(value: Any, speaker: str, where: str) -> float:
    """A time `H:MM:SS.ss`; CHiME-5 gives one for each device, of which `original` is the worn microphones' clock."""
    written = value.get("original", value.get(speaker)) if isinstance(value, dict) else value
    match = _TIME.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise BadInput(f"{where} {str(written)[:40]!r} is no H:MM:SS.ss")
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
