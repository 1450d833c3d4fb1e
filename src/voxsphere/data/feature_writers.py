"""Stored features written to an archive, an HDF5 file or a folder, each with where every utterance lies."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.ark_write import encoded_matrix
from voxsphere.audio.fmatrix import SUFFIXES, write_fmatrix
from voxsphere.audio.hdf5 import ID, SPEAKER
from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.files import atomic
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.folders import is_audio

Frames = Float32[np.ndarray, "frames dim"]
Row = tuple[Utterance, Frames]
Writer = Callable[[Path, Iterable[Row]], Iterator[tuple[Utterance, str]]]

FORMS = ("ark", "h5", "npy", *(suffix.removeprefix(".") for suffix in SUFFIXES))
"""What features can be written as: a Kaldi archive with its list, an HDF5 file, or a folder of files of that suffix."""


def writer_of(form: str, *, compression: int = 0) -> Writer:
    """What writes that form: it takes rows and gives back each utterance with its locator, when all are there."""
    if form not in FORMS:
        raise BadInput(f"{form or 'nothing'}: no form of stored features; there are: {', '.join(FORMS)}")
    if compression and form != "ark":
        raise BadInput(f"compression {compression}: only Kaldi archives (.ark) are compressed")
    if form == "ark":
        return partial(_write_ark, compression=compression)
    return _write_hdf5 if form == "h5" else partial(_write_files, suffix=f".{form}")


def check_names(manifest: Manifest, form: str) -> None:
    """`BadInput` where the form cannot hold an id, or would take two utterances for one."""
    if form == "ark":
        if blank := next((u.id for u in manifest if u.id.split() != [u.id]), None):
            raise BadInput(f"{blank!r}: a Kaldi archive cannot hold an id with blanks; give ids without")
        return
    if both := _clash((who, _simple(who)) for who in manifest.speakers):
        raise BadInput("speakers {!r} and {!r} would both be {!r}; rename one".format(*both))
    place_of = _dataset if form == "h5" else _file
    if both := _clash((u.id, place_of(u)) for u in manifest):
        raise BadInput("{!r} and {!r} would both be {!r}; give ids that differ more".format(*both))


def _clash(places: Iterable[tuple[str, str]]) -> tuple[str, str, str] | None:
    """The first two names that would have one place, and that place; file systems may not tell capitals apart."""
    seen: dict[str, str] = {}
    for name, place in places:
        if (first := seen.setdefault(place.lower(), name)) is not name:
            return first, name, place
    return None


def _write_ark(out: Path, rows: Iterable[Row], *, compression: int) -> Iterator[tuple[Utterance, str]]:
    """An archive and its list; of feats.ark, also whose utterances they are, as a Kaldi data folder has it."""
    written: list[tuple[Utterance, int, int]] = []
    listing = out.with_suffix(".scp")
    tables = [out.with_name(name) for name in ("utt2spk", "spk2utt", "utt2num_frames")] if out.stem == "feats" else []
    with atomic(out, "wb", outdates=[listing, out.with_suffix(".tsv"), *tables]) as file:
        for utterance, frames in rows:
            file.write(f"{utterance.id} ".encode())
            written.append((utterance, file.tell(), len(frames)))
            file.write(encoded_matrix(frames, compression=compression))
    if tables:
        utt2spk, spk2utt, utt2num_frames = tables
        spoken: dict[str, list[str]] = {}
        for u, _, _ in written:
            spoken.setdefault(u.speaker or "-", []).append(u.id)
        _write_lines(utt2spk, [f"{u.id} {u.speaker or '-'}" for u, _, _ in written])
        _write_lines(spk2utt, [f"{name} {' '.join(ids)}" for name, ids in sorted(spoken.items())])
        _write_lines(utt2num_frames, [f"{u.id} {frames}" for u, _, frames in written])
    # The last: without it nothing of the folder is read.
    _write_lines(listing, [f"{u.id} {out}:{place}" for u, place, _ in written])
    yield from ((u, f"{out}:{place}") for u, place, _ in written)


def _write_hdf5(out: Path, rows: Iterable[Row]) -> Iterator[tuple[Utterance, str]]:
    """A dataset `speaker/utterance` of shape [1, dim, frames] for each, with the attributes `id` and `speaker`."""
    try:
        import h5py
    except ImportError:
        raise BadInput(f"{out}: HDF5 files need h5py: pip install 'voxsphere[data]'") from None
    out.parent.mkdir(parents=True, exist_ok=True)
    for left in out.parent.glob(f".{out.name}.*"):  # of a killed writing
        shutil.rmtree(left, ignore_errors=True)
    written: list[tuple[Utterance, str]] = []
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        half = Path(folder) / out.name
        try:
            with h5py.File(half, "w") as file:
                for utterance, frames in rows:
                    place = _dataset(utterance)
                    dataset = file.create_dataset(place, data=np.ascontiguousarray(frames.T)[None])
                    dataset.attrs.update({ID: utterance.id, SPEAKER: utterance.speaker})
                    written.append((utterance, f"{out}#{place}"))
            with half.open("rb") as whole:
                os.fsync(whole.fileno())
            os.replace(half, out)
        except OSError as error:
            raise BadInput(f"{out}: cannot be written ({flattened(error)})") from error
    yield from written


def _write_files(out: Path, rows: Iterable[Row], *, suffix: str) -> Iterator[tuple[Utterance, str]]:
    """A file for each, which is whole or not there."""
    for utterance, frames in rows:
        path = out / f"{_file(utterance)}{suffix}"
        if suffix == ".npy":
            with atomic(path, "wb") as file:
                np.save(file, np.ascontiguousarray(frames, np.float32), allow_pickle=False)
        else:
            write_fmatrix(path, frames)
        yield utterance, str(path)


def _file(utterance: Utterance) -> str:
    """An id that is a path through its speaker's folder stays that path; any other lies in that folder."""
    parts = _parts(utterance)
    speaker = _simple(utterance.speaker)
    return "/".join(parts if speaker in parts[:-1] else (speaker, "-".join(parts)))


def _dataset(utterance: Utterance) -> str:
    parts, speaker = _parts(utterance), _simple(utterance.speaker)
    return f"{speaker}/{'-'.join(parts[1:] if parts[0] == speaker and len(parts) > 1 else parts)}"


def _parts(utterance: Utterance) -> tuple[str, ...]:
    name = os.path.splitext(utterance.id)[0] if is_audio(utterance.id) else utterance.id
    return tuple(_simple(part) for part in name.split("/") if part.strip(".")) or ("-",)


def _simple(name: str) -> str:
    return re.sub(r"[^\w@+.=-]+", "-", name).strip("-.") or "-"


def _write_lines(path: Path, lines: list[str]) -> None:
    with atomic(path) as file:
        file.writelines(f"{line}\n" for line in lines)
