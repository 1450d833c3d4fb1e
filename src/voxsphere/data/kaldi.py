"""Kaldi data folders to a manifest and back: wav.scp, utt2spk or spk2utt, segments, spk2gender, text."""

import math
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, read_text
from voxsphere.core.manifest import Manifest, Utterance


def read_kaldi(folder: str | Path) -> Manifest:
    """The utterances of a Kaldi data folder.

    Paths in `wav.scp` are taken from the folder where a file is there, else from the current one. Entries that are
    commands (a trailing `|`) are refused: a list should not run programs. `BadInput` names the file and the line, and
    utterances that one file has and another lacks.
    """
    folder = Path(folder)
    recordings = {name: _path(entry, folder, where) for name, entry, where in _table(folder / "wav.scp")}
    speaker_of = _speakers(folder)
    gender_of = _optional(folder / "spk2gender")
    text_of = _optional(folder / "text")
    if (folder / "segments").exists():
        parts = [_segment(name, rest, where, recordings) for name, rest, where in _table(folder / "segments")]
    else:
        parts = [(name, path, None, None) for name, path in recordings.items()]
    utterances = []
    for name, path, start, duration in parts:
        if name not in speaker_of:
            raise BadInput(f"{folder}: utterance {name} has no speaker in utt2spk or spk2utt")
        speaker = speaker_of[name]
        gender, text = gender_of.get(speaker, ""), text_of.get(name, "")
        utterances.append(Utterance(name, path, speaker, start, duration, gender=gender, text=text))
    if extra := sorted(set(speaker_of) - {utterance.id for utterance in utterances}):
        listing = "segments" if (folder / "segments").exists() else "wav.scp"
        raise BadInput(f"{folder}: {extra[0]} has a speaker but is not in {listing} ({len(extra)} such utterances)")
    return Manifest(tuple(utterances))


def write_kaldi(manifest: Manifest, folder: str | Path) -> None:
    """Write wav.scp, utt2spk, spk2utt, and where the manifest has parts of files, segments; sorted as Kaldi wants."""
    folder = Path(folder)
    utterances = sorted(manifest, key=lambda utterance: utterance.id)
    for utterance in utterances:
        if utterance.id.split() != [utterance.id] or utterance.speaker.split() != [utterance.speaker]:
            raise BadInput(
                f"{folder}: Kaldi's files cannot hold the id {utterance.id!r} or speaker {utterance.speaker!r}"
            )
    parts = any(utterance.start is not None for utterance in utterances)
    recordings = {u.path if parts else u.id: str(Path(u.path).absolute()) for u in utterances}
    names = {key: f"rec{n:06d}" if parts else key for n, key in enumerate(recordings)}
    _write(folder / "wav.scp", [f"{names[key]} {path}" for key, path in recordings.items()])
    if parts:
        spans = [(u, u.start or 0.0, -1.0 if u.duration is None else (u.start or 0.0) + u.duration) for u in utterances]
        _write(folder / "segments", [f"{u.id} {names[u.path]} {start!r} {end!r}" for u, start, end in spans])
    _write(folder / "utt2spk", [f"{u.id} {u.speaker}" for u in utterances])
    spoken = {name: [u.id for u in utterances if u.speaker == name] for name in manifest.speakers}
    _write(folder / "spk2utt", [f"{name} {' '.join(ids)}" for name, ids in spoken.items()])


def _table(path: Path) -> list[tuple[str, str, str]]:
    """Each line's first word, the rest, and where it stands; the first words are unique."""
    rows: dict[str, tuple[str, str, str]] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        name, *rest = line.split(maxsplit=1)
        if not rest:
            raise BadInput(f"{where} holds only {name!r}")
        if name in rows:
            raise BadInput(f"{where}: {name} stands there already")
        rows[name] = (name, rest[0].strip(), where)
    return list(rows.values())


def _path(entry: str, folder: Path, where: str) -> str:
    if entry.endswith("|") or entry.startswith("|"):
        raise BadInput(f"{where} is a command; commands are not run, write its output to a file and name that")
    below = folder / entry
    return str(below) if below.exists() else entry


def _speakers(folder: Path) -> dict[str, str]:
    if (folder / "utt2spk").exists():
        return {name: speaker for name, speaker, _ in _table(folder / "utt2spk")}
    if (folder / "spk2utt").exists():
        return {name: speaker for speaker, names, _ in _table(folder / "spk2utt") for name in names.split()}
    raise BadInput(f"{folder}: has neither utt2spk nor spk2utt; one of them is to name the speakers")


def _optional(path: Path) -> dict[str, str]:
    return {name: rest for name, rest, _ in _table(path)} if path.exists() else {}


def _segment(
    name: str, rest: str, where: str, recordings: dict[str, str]
) -> tuple[str, str, float | None, float | None]:
    fields = rest.split()
    if len(fields) != 3:
        raise BadInput(f"{where} is not `utterance recording start end`")
    if fields[0] not in recordings:
        raise BadInput(f"{where}: recording {fields[0]} is not in wav.scp")
    try:
        start, end = float(fields[1]), float(fields[2])
    except ValueError:
        raise BadInput(f"{where}: {fields[1]!r} and {fields[2]!r} are to be seconds") from None
    # Kaldi writes an end of -1 for "to the end of the recording".
    if not (math.isfinite(start) and start >= 0 and (end == -1 or (math.isfinite(end) and end > start))):
        raise BadInput(f"{where}: a segment runs from 0 s or later to a later time, not from {start:g} to {end:g}")
    return name, recordings[fields[0]], start, None if end == -1 else end - start


def _write(path: Path, lines: list[str]) -> None:
    with atomic(path) as file:
        file.writelines(f"{line}\n" for line in lines)
