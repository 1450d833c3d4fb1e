"""A corpus packed into few large files, tar shards or one HDF5 file, with a manifest of where everything lies."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, check_writable, read_json, write_json
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.pack_hdf5 import write_hdf5
from voxsphere.data.pack_pieces import Encoding, Piece, as_int16, encoded, pieces_of, rounded, samples_of
from voxsphere.data.pack_shards import Place, finished, write_shards
from voxsphere.data.threads import in_threads

Form = Literal["shards", "hdf5"]
T = TypeVar("T")


@dataclass(frozen=True)
class Packed:
    """What a packing made: the manifest of what is packed, where it lies, and what was left out and why."""

    manifest: Manifest
    path: Path
    failures: tuple[tuple[str, str], ...]  # (utterance id, reason)


def pack(
    manifest: Manifest,
    out: str | Path,
    *,
    form: Form,
    encoding: Encoding = "as-is",
    shard_megabytes: int = 256,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Packed:
    """Copy the recordings of a manifest into tar shards in the folder `out`, or into the HDF5 file `out`.

    Shards follow WebDataset's naming (`key.flac`, `key.json` and, as WeSpeaker has it, `key.spk`); each is closed at
    the recording that brings it to `shard_megabytes`. HDF5 has a dataset of samples an utterance in a group a
    speaker. The manifest of locators is saved as `out/manifest.tsv`, or `NAME.tsv` beside `NAME.h5`, with all columns.

    `encoding`: "as-is" copies whole files into shards byte for byte, and stores what is to be decoded (parts of files,
    and all that goes into HDF5) without loss: in 16 bits where they suffice, else as floats. "flac" rounds to 16 bits
    (HDF5: 16-bit samples), "opus" makes Opus of everything (shards only). Parts of files (`start`) are cut out and are
    recordings of their own afterwards. Utterances that are one recording at several speeds share it.

    What cannot be decoded to its end is left out, and told in `failures` and in `failed.tsv` beside the manifest. A
    packing that was broken off goes on after its last whole shard when it is called again; HDF5 begins anew. `workers`
    threads decode and encode (default: one a core). `BadInput`: something is in the way at `out`, or all is broken.
    """
    out = Path(out)
    pieces = pieces_of(manifest)
    listing = out / "manifest.tsv" if form == "shards" else out.with_suffix(".tsv")
    failures: dict[str, str] = {}
    places = _begin(manifest, out, form, encoding, shard_megabytes)
    progress(sum(len(piece.utterances) for piece in pieces if piece.key in places))
    todo = [piece for piece in pieces if piece.key not in places]
    if form == "shards":
        files = _readable(todo, partial(encoded, encoding=encoding), workers, failures, progress)
        written = write_shards(out, files, shard_megabytes * 1_000_000)
    else:
        waves = _readable(todo, partial(_stored, exact=encoding == "as-is"), workers, failures, progress)
        written = write_hdf5(out, waves)
    places |= {piece.key: place for piece, place in written}
    return _finish(pieces, manifest, listing, places, failures)


def _begin(manifest: Manifest, out: Path, form: Form, encoding: Encoding, shard_megabytes: int) -> dict[str, Place]:
    """What an earlier call has packed already, if it was the same packing; `BadInput` if anything is in the way."""
    if form == "hdf5":
        if encoding == "opus":
            raise BadInput(f"{out}: HDF5 holds samples, not Opus; take --encoding as-is or flac, or pack shards")
        if out.exists() or out.suffix not in (".h5", ".hdf5"):
            reason = "is there already; remove it, or choose another name" if out.exists() else "is to be named .h5"
            raise BadInput(f"{out}: {reason}")
        check_writable(out)
        return {}
    if shard_megabytes < 1:
        raise BadInput(f"{out}: shards of {shard_megabytes} megabytes cannot be; give 1 or more")
    claim, mine = out / "pack.json", _claim(manifest, encoding, shard_megabytes)
    if not claim.exists():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise BadInput(f"{out}: is there already and holds other things; choose an empty or a new folder")
        write_json(claim, mine)
    elif read_json(claim) != mine:
        raise BadInput(f"{out}: holds a packing of another manifest or with other options; choose another folder")
    return finished(out)


def _claim(manifest: Manifest, encoding: Encoding, shard_megabytes: int) -> dict[str, object]:
    digest = hashlib.sha256()
    for utterance in manifest:
        digest.update(json.dumps(dataclasses.astuple(utterance)).encode())
    return {"manifest": digest.hexdigest(), "encoding": encoding, "shard_megabytes": shard_megabytes}


def _stored(utterance: Utterance, *, exact: bool) -> tuple[np.ndarray, int]:
    wave, rate = samples_of(utterance)
    steps = as_int16(wave) if exact else rounded(wave)
    return wave if steps is None else steps, rate


def _readable(
    pieces: list[Piece],
    work: Callable[[Utterance], T],
    workers: int | None,
    failures: dict[str, str],
    progress: Callable[[int], None],
) -> Iterator[tuple[Piece, T]]:
    """The work done for each piece, in order, by threads; what fails is noted in `failures` and left out."""
    for piece, done in in_threads(lambda piece: work(piece.first), pieces, workers=workers, ahead=2):
        progress(len(piece.utterances))
        if isinstance(done, BadInput):
            failures[piece.key] = str(done)
        else:
            yield piece, done


def _finish(
    pieces: tuple[Piece, ...], manifest: Manifest, listing: Path, places: Mapping[str, Place], failures: dict[str, str]
) -> Packed:
    if not places:
        reason = next(iter(failures.values()), "the manifest is empty")
        raise BadInput(f"{listing}: not written, no recording could be packed; the first: {reason}")
    key_of = {utterance.id: piece.key for piece in pieces for utterance in piece.utterances}
    packed = Manifest(tuple(_packed(u, places[key_of[u.id]]) for u in manifest if key_of[u.id] in places))
    packed.save(listing)
    failed = tuple((u.id, failures[key_of[u.id]]) for u in manifest if key_of[u.id] in failures)
    report = listing.with_name("failed.tsv" if listing.name == "manifest.tsv" else f"{listing.stem}.failed.tsv")
    report.unlink(missing_ok=True)
    if failed:
        with atomic(report) as file:
            file.write("id\treason\n")
            file.writelines(f"{name}\t{reason}\n" for name, reason in failed)
    return Packed(packed, listing, failed)


def _packed(utterance: Utterance, place: Place) -> Utterance:
    measured = utterance.start is not None or utterance.duration is None
    duration = place.seconds if measured else utterance.duration
    return replace(utterance, path=place.locator, start=None, duration=duration)
