"""Tar shards in WebDataset's naming: written whole or not at all, with an index of each that says where things lie."""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from voxsphere.audio.shards import BLOCK, placed
from voxsphere.core.files import atomic, read_json, write_json
from voxsphere.core.manifest import Utterance
from voxsphere.data.pack_pieces import Encoded, Piece

_KEPT = ("id", "speaker", "session", "gender", "language", "text", "dataset", "split")


@dataclass(frozen=True)
class Place:
    """Where a recording lies (a locator), and its seconds."""

    locator: str
    seconds: float


def finished(folder: Path) -> dict[str, Place]:
    """Where the keys of the whole shards in a folder lie; what a killed packing left half is removed."""
    for left in folder.glob(".shard-*"):
        left.unlink()
    places: dict[str, Place] = {}
    for path in sorted(folder.glob("shard-*.index.json")):
        shard = path.with_name(path.name.removesuffix(".index.json") + ".tar")
        if not shard.exists():
            continue
        places |= {key: Place(f"{shard}#{where}", seconds) for key, (where, seconds) in read_json(path).items()}
    return places


def write_shards(
    folder: Path, recordings: Iterable[tuple[Piece, Encoded]], shard_bytes: int
) -> Iterator[tuple[Piece, Place]]:
    """Write the recordings into further shards of the folder; each is given back once its shard is whole."""
    rest = iter(recordings)
    while (following := next(rest, None)) is not None:
        shard = _next_shard(folder)
        index: dict[str, tuple[str, float]] = {}
        packed = []
        with (
            atomic(shard, "wb") as file,
            # GNU's form keeps names as they are; PAX would put other letters into a block of its own.
            tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8") as tar,
        ):
            while following is not None:
                piece, recording = following
                index[piece.key] = (_add(tar, piece, recording), recording.samples / recording.rate)
                packed.append(piece)
                following = next(rest, None) if tar.offset < shard_bytes else None
        # The index last: a shard without one counts as unwritten.
        write_json(_index(shard), index)
        yield from ((piece, Place(f"{shard}#{index[piece.key][0]}", index[piece.key][1])) for piece in packed)


def _next_shard(folder: Path) -> Path:
    shards = (folder / f"shard-{number:06d}.tar" for number in count())
    return next(shard for shard in shards if not (shard.exists() and _index(shard).exists()))


def _index(shard: Path) -> Path:
    return shard.with_suffix(".index.json")


def _add(tar: tarfile.TarFile, piece: Piece, recording: Encoded) -> str:
    about = _columns(piece.first) | {"sample_rate": recording.rate, "samples": recording.samples}
    _member(tar, f"{piece.key}.spk", piece.first.speaker.encode())
    _member(tar, f"{piece.key}.json", json.dumps(about, ensure_ascii=False).encode())
    return _member(tar, f"{piece.key}{recording.suffix}", recording.content)


def _columns(utterance: Utterance) -> dict[str, object]:
    known = {name: getattr(utterance, name) for name in _KEPT}
    return {name: value for name, value in (known | dict(utterance.extra)).items() if value != ""}


def _member(tar: tarfile.TarFile, name: str, content: bytes) -> str:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o644
    tar.addfile(info, io.BytesIO(content))
    return placed(name, tar.offset - -(-len(content) // BLOCK) * BLOCK, len(content))
