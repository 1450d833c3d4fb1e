"""NeMo's JSON-lines lists to a manifest: `audio_filepath`, `offset`, `duration`, `label` (NeMo's documentation)."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_text
from voxsphere.core.manifest import Manifest, Utterance

_KNOWN = frozenset({"audio_filepath", "offset", "duration", "label", "speaker", "text", "lang", "gender", "session"})


def read_nemo(path: str | Path) -> Manifest:
    """The utterances of a NeMo list, a JSON object a line; the speaker is `label`, else `speaker`.

    With an `offset`, even of 0, an utterance is `duration` seconds from there; without one it is the whole file. Paths
    are taken from the list's folder; an id is the path as written, with `@offset` for a part. Other keys that hold a
    string or a number become columns. `BadInput` names the line that is wrong.
    """
    path = Path(path)
    utterances: dict[str, Utterance] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        utterance = _utterance(_record(line, where), where, path.parent)
        if utterance.id in utterances:
            raise BadInput(f"{where}: {utterance.id} stands there already")
        utterances[utterance.id] = utterance
    if not utterances:
        raise BadInput(f"{path}: lists no utterance")
    return Manifest(tuple(utterances.values()))


def _record(line: str, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{where} is not JSON ({error.msg}); NeMo lists hold one object a line") from error
    if not isinstance(record, dict) or not isinstance(record.get("audio_filepath"), str):
        raise BadInput(f"{where} is no object with an audio_filepath")
    return record


def _utterance(record: Mapping[str, Any], where: str, folder: Path) -> Utterance:
    written = record["audio_filepath"]
    start, duration = (_seconds(record.get(key), f"{where}: {key}") for key in ("offset", "duration"))
    speaker = record.get("label", record.get("speaker"))
    extra = {key: value for key, value in record.items() if key not in _KNOWN and isinstance(value, str | int | float)}
    return Utterance(
        id=written if start is None else f"{written}@{start:g}",
        path=written if os.path.isabs(written) or "://" in written else str(folder / written),
        speaker="" if speaker is None else str(speaker),
        start=start,
        duration=duration,
        session=str(record.get("session") or ""),
        gender=str(record.get("gender") or ""),
        language=str(record.get("lang") or ""),
        text=str(record.get("text") or ""),
        extra=tuple((key, str(value)) for key, value in extra.items()),
    )


def _seconds(value: object, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
        raise BadInput(f"{where} {value!r} is no number of seconds")
    return float(value)
