"""Kaldi data folders to a manifest and back; layout: Kaldi's documentation, "Data preparation"."""

import math
from collections.abc import Sequence
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, existing, read_text
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.commands import run_commands
from voxsphere.data.stored import NUM_FRAMES

DOMAIN = "domain"
"""The column that holds what utt2dom says."""

_Part = tuple[str, str, float | None, float | None]


def read_kaldi(folder: str | Path, *, allow_commands: bool = False) -> Manifest:
    """The utterances of a Kaldi data folder: wav.scp (or feats.scp alone), segments, utt2spk or spk2utt.

    spk2gender, utt2lang, text and utt2dur are read where they are; feats.scp and vad.scp beside a wav.scp become the
    columns `feats` and `vad`, and utt2num_frames becomes `num_frames` where there is none; utt2dom becomes `domain`.
    Paths are taken from
    the folder where a file is there, else from the current one, as Kaldi does. Entries that are commands (a trailing
    `|`) are refused unless `allow_commands`: a list should not run programs. `BadInput` names the file and the
    line, and utterances that one file has and another lacks.
    """
    folder = Path(folder)
    parts = _parts(folder, allow_commands)
    speaker_of = _speakers(folder)
    names = ("spk2gender", "utt2lang", "text", "utt2dur")
    gender_of, language_of, text_of, length_of = (_optional(folder / name) for name in names)
    stored = _stored(folder)
    utterances = []
    for name, path, start, duration in parts:
        if name not in speaker_of:
            raise BadInput(f"{folder}: utterance {name} has no speaker in utt2spk or spk2utt")
        speaker = speaker_of[name]
        utterances.append(
            Utterance(
                name,
                path,
                speaker,
                start,
                _seconds(length_of[name], folder) if start is None and name in length_of else duration,
                gender=gender_of.get(speaker, ""),
                language=language_of.get(name, ""),
                text=text_of.get(name, ""),
                extra=tuple((key, table[name]) for key, table in stored.items() if name in table),
            )
        )
    if extra := sorted(set(speaker_of) - {utterance.id for utterance in utterances}):
        listing = next(name for name in ("segments", "wav.scp", "feats.scp") if (folder / name).exists())
        raise BadInput(f"{folder}: {extra[0]} has a speaker but is not in {listing} ({len(extra)} such utterances)")
    return Manifest(tuple(utterances))


def read_scp(files: Sequence[Path]) -> Manifest:
    """The utterances that lists of `id place` name, as Kaldi's .scp files do: of recordings or of features.

    utt2spk or spk2utt beside a list name the speakers, spk2gender their genders, utt2num_frames the number of frames
    and utt2dom the domain, where they are there.
    """
    utterances = []
    for file in files:
        folder = file.parent
        named = (folder / "utt2spk").exists() or (folder / "spk2utt").exists()
        speaker_of, gender_of = _speakers(folder) if named else {}, _optional(folder / "spk2gender")
        columns = {NUM_FRAMES: _optional(folder / "utt2num_frames"), DOMAIN: _optional(folder / "utt2dom")}
        for name, entry, where in _table(file):
            if "|" in entry:
                raise BadInput(f"{where} is a command; commands are not run from a list alone")
            if named and name not in speaker_of:
                raise BadInput(f"{where}: {name} has no speaker in {folder / 'utt2spk'} or spk2utt")
            extra = tuple((key, table[name]) for key, table in columns.items() if name in table)
            speaker = speaker_of.get(name, "")
            gender = gender_of.get(speaker, "")
            utterances.append(Utterance(name, _place(entry, folder), speaker, gender=gender, extra=extra))
    if not utterances:
        raise BadInput(f"{files[0]}: lists no utterance")
    return Manifest(tuple(utterances))


def read_utt2spk(file: str | Path) -> dict[str, str]:
    """The speaker of each utterance, of lines `utterance speaker`."""
    return {name: speaker for name, speaker, _ in _table(existing(file))}


def read_spk2utt(file: str | Path) -> dict[str, tuple[str, ...]]:
    """The utterances of each speaker, of lines `speaker utterance utterance …`."""
    return {speaker: tuple(names.split()) for speaker, names, _ in _table(existing(file))}


def save_kaldi(manifest: Manifest, folder: str | Path) -> None:
    """Write wav.scp, utt2spk and spk2utt, and what the manifest has of segments, spk2gender, utt2dur, utt2lang, text
    and, of its column `domain`, utt2dom.

    Sorted as Kaldi wants. `BadInput` where its files cannot hold something: blanks in names, a changed speed.
    """
    folder = Path(folder)
    utterances = sorted(manifest, key=lambda utterance: utterance.id)
    for u in utterances:
        if u.id.split() != [u.id] or u.speaker.split() != [u.speaker]:
            raise BadInput(f"{folder}: Kaldi's files cannot hold the id {u.id!r} or speaker {u.speaker!r}")
        # A path that ends in a bar would come back as a command.
        if u.speed != 1 or "\n" in u.path or u.path.rstrip().endswith("|"):
            raise BadInput(
                f"{folder}: Kaldi's files cannot hold {u.id!r}: its speed is {u.speed:g}, its path {u.path!r}"
            )
    parts = any(utterance.start is not None for utterance in utterances)
    recordings = {u.path if parts else u.id: _absolute(u.path) for u in utterances}
    names = {key: f"rec{n:08d}" if parts else key for n, key in enumerate(recordings)}
    _write(folder / "wav.scp", [f"{names[key]} {path}" for key, path in recordings.items()])
    if parts:
        spans = [(u, u.start or 0.0, -1.0 if u.duration is None else (u.start or 0.0) + u.duration) for u in utterances]
        _write(folder / "segments", [f"{u.id} {names[u.path]} {start!r} {end!r}" for u, start, end in spans])
    _write(folder / "utt2spk", [f"{u.id} {u.speaker}" for u in utterances])
    spoken: dict[str, list[str]] = {name: [] for name in manifest.speakers}
    for u in utterances:
        spoken[u.speaker].append(u.id)
    _write(folder / "spk2utt", [f"{name} {' '.join(ids)}" for name, ids in spoken.items()])
    genders = {u.speaker: u.gender for u in utterances if u.gender}
    columns = {
        "spk2gender": [f"{name} {genders[name]}" for name in spoken if name in genders],
        "utt2dur": [f"{u.id} {u.duration!r}" for u in utterances if u.duration is not None],
        "utt2dom": [f"{u.id} {dict(u.extra)[DOMAIN]}" for u in utterances if DOMAIN in dict(u.extra)],
        "utt2lang": [f"{u.id} {u.language}" for u in utterances if u.language],
        "text": [f"{u.id} {u.text}" for u in utterances if u.text],
    }
    for file, lines in columns.items():
        if lines:
            _write(folder / file, lines)


def _stored(folder: Path) -> dict[str, dict[str, str]]:
    """The columns that tell of features: where they are beside an utterance's wave, or how many frames they have."""

    def places(file: str) -> dict[str, str]:
        return {name: _place(entry, folder) for name, entry in _optional(folder / file).items()}

    told = {"vad": places("vad.scp"), DOMAIN: _optional(folder / "utt2dom")}
    if (folder / "wav.scp").exists():
        return {"feats": places("feats.scp"), **told}
    return {NUM_FRAMES: _optional(folder / "utt2num_frames"), **told}


def _parts(folder: Path, allow_commands: bool) -> list[_Part]:
    """Each utterance, its path, and where in it it stands."""
    if not (folder / "wav.scp").exists() and (folder / "feats.scp").exists():
        return [(name, _place(entry, folder), None, None) for name, entry, _ in _table(folder / "feats.scp")]
    recordings: dict[str, str] = {}
    commands: dict[str, str] = {}
    for name, entry, where in _table(folder / "wav.scp"):
        if not entry.endswith("|"):
            recordings[name] = _place(entry, folder)
        elif allow_commands:
            recordings[name] = commands[name] = entry.removesuffix("|").strip()
        else:
            raise BadInput(
                f"{where} is a command; commands are not run unless allowed (prepare kaldi --allow-commands)"
            )
    recordings |= run_commands(commands)
    if not (folder / "segments").exists():
        return [(name, path, None, None) for name, path in recordings.items()]
    return [_segment(name, rest, where, recordings) for name, rest, where in _table(folder / "segments")]


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


def _place(entry: str, folder: Path) -> str:
    """An entry of a .scp as a path; it may stand at a byte of an archive (`wav.ark:1742`), and be some rows of it."""
    below = folder / entry
    place = entry.rpartition("[")[0] if entry.endswith("]") else entry
    archive = folder / place.rpartition(":")[0]
    return str(below) if below.exists() or archive.is_file() else entry


def _absolute(path: str) -> str:
    return path if "://" in path else str(Path(path).absolute())


def _seconds(text: str, folder: Path) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise BadInput(f"{folder / 'utt2dur'}: {text!r} is no number of seconds")
    return value


def _speakers(folder: Path) -> dict[str, str]:
    if (folder / "utt2spk").exists():
        return read_utt2spk(folder / "utt2spk")
    if (folder / "spk2utt").exists():
        return {name: speaker for speaker, names in read_spk2utt(folder / "spk2utt").items() for name in names}
    raise BadInput(f"{folder}: has neither utt2spk nor spk2utt; one of them is to name the speakers")


def _optional(path: Path) -> dict[str, str]:
    return {name: rest for name, rest, _ in _table(path)} if path.exists() else {}


def _segment(name: str, rest: str, where: str, recordings: dict[str, str]) -> _Part:
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
