"""SpeechBrain's CSV lists to a manifest: `ID,duration,wav,start,stop,spk_id` (recipes/VoxCeleb, voxceleb_prepare)."""

import csv
import io
import math
import os
from collections.abc import Mapping
from pathlib import Path

from voxsphere.audio.wave import info
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_text
from voxsphere.core.manifest import Manifest, Utterance

_KNOWN = frozenset({"ID", "duration", "wav", "start", "stop", "spk_id", "wrd"})


def is_speechbrain(header: str) -> bool:
    """Whether a table with this first line is one of SpeechBrain's."""
    return {"ID", "wav"} <= {name.strip() for name in header.split(",")}


def read_speechbrain(path: str | Path, *, sample_rate: int | None = None) -> Manifest:
    """The utterances of a SpeechBrain list. `duration` is that of the whole file, `start` and `stop` count samples.

    They are samples of the files; unless `sample_rate` (Hz) is given, it is that of the first file that is there, or
    16 kHz, which the recipes use, where none is. `$data_root` and the like in paths are environment variables.
    `BadInput` names the line that is wrong.
    """
    path = Path(path)
    reader = csv.DictReader(io.StringIO(read_text(path)), skipinitialspace=True)
    if not is_speechbrain(",".join(reader.fieldnames or ())):
        raise BadInput(f"{path}: has no columns ID and wav; SpeechBrain's lists begin with ID,duration,wav,…")
    rows = [(f"{path}: line {reader.line_num}", row) for row in reader]
    for where, row in rows:
        if None in row or None in row.values() or not row["ID"] or not row["wav"]:
            raise BadInput(f"{where} does not have the fields of the header, ID and wav among them")
    places = [_place(row["wav"], where, path.parent) for where, row in rows]
    parts = any(row.get("start") or row.get("stop") for _, row in rows)
    rate = sample_rate or (_rate(places) if parts else 1)
    utterances: dict[str, Utterance] = {}
    for (where, row), place in zip(rows, places, strict=True):
        if row["ID"] in utterances:
            raise BadInput(f"{where}: {row['ID']} stands there already")
        utterances[row["ID"]] = _utterance(row, place, rate, where)
    if not utterances:
        raise BadInput(f"{path}: lists no utterance")
    return Manifest(tuple(utterances.values()))


def _place(written: str, where: str, folder: Path) -> str:
    whole = os.path.expandvars(written)
    if "$" in whole:
        raise BadInput(f"{where}: set the environment variable that {written} begins with")
    return whole if os.path.isabs(whole) or "://" in whole else str(folder / whole)


def _rate(places: list[str]) -> int:
    there = next((place for place in places if os.path.exists(place)), None)
    return info(there).rate if there else 16000


def _utterance(row: Mapping[str, str], place: str, rate: int, where: str) -> Utterance:
    start, stop = (_samples(row.get(name, ""), f"{where}: {name}") for name in ("start", "stop"))
    if stop is not None and stop <= (start or 0):
        raise BadInput(f"{where}: stop {stop} is not after start {start or 0}")
    whole = start is None and stop is None
    length = _seconds(row.get("duration", ""), f"{where}: duration") if whole else None
    return Utterance(
        id=row["ID"],
        path=place,
        speaker=row.get("spk_id", ""),
        start=None if whole else (start or 0) / rate,
        duration=length if stop is None else (stop - (start or 0)) / rate,
        text=row.get("wrd", ""),
        extra=tuple((name, value) for name, value in row.items() if name not in _KNOWN and value),
    )


def _samples(text: str, where: str) -> int | None:
    if text and not text.isdecimal():
        raise BadInput(f"{where} {text!r} is no number of samples")
    return int(text) if text else None


def _seconds(text: str, where: str) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        value = math.nan
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise BadInput(f"{where} {text!r} is no number of seconds")
    return value
