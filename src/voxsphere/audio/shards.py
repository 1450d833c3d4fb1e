"""Members of tar files found, by the place noted in the locator or by an index of the file."""

import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from voxsphere.audio.kept import Kept
from voxsphere.audio.ranges import Ranges, Window, failure, stream
from voxsphere.core.errors import BadInput

BLOCK = 512
"""Bytes a tar file is counted in; a member's header is one block, right before its data."""

_PLACED = re.compile(r"(?P<name>.+)@(?P<offset>\d+)\+(?P<size>\d+)", re.DOTALL)


def placed(name: str, offset: int, size: int) -> str:
    """The member with its place: `a.flac@1536+48212` is read without an index, in one piece."""
    return f"{name}@{offset}+{size}"


def member_name(member: str) -> str:
    """The member's name, without the place where one is noted."""
    found = _PLACED.fullmatch(member)
    return found["name"] if found else member


def open_member(source: Ranges, member: str, name: str) -> BinaryIO:
    """The file `member` of a tar file. `name` is what messages call it."""
    found = _PLACED.fullmatch(member)
    if found is None:
        return _open_indexed(source, member, name)
    begin, size = int(found["offset"]), int(found["size"])
    if size + BLOCK > source.gulp:
        header, body = source.read(max(0, begin - BLOCK), begin), None
    else:
        piece = source.read(max(0, begin - BLOCK), begin + size)
        header, body = piece[:BLOCK], piece[BLOCK:]
    if not _is_header_of(header, found["name"], size):
        raise BadInput(f"{name}: does not lie there (was the shard made again?); use the manifest that came with it")
    if body is None:
        _check_end(source, begin + size, name)
        return stream(source, begin, begin + size)
    if len(body) < size:
        raise _truncated(name, begin + len(body), begin + size)
    return io.BytesIO(body)


def _is_header_of(header: bytes, name: str, size: int) -> bool:
    written = header[:100].rstrip(b"\0")
    try:
        # Longer names lie in a block of their own before; what fits stands here too.
        return written == name.encode()[:100] and int(header[124:136].strip(b" \0"), 8) == size
    except ValueError:
        return False


def _open_indexed(source: Ranges, member: str, name: str) -> BinaryIO:
    # An index holds its source: as long as it is kept, no other source can have the same number.
    index = _INDEXES.get(id(source), lambda: _Index.of(source))
    if member not in index.places:
        ending = ", which is truncated" if index.broken else ""
        raise BadInput(f"{name}: there is no such member in the tar file{ending}")
    begin, size = index.places[member]
    _check_end(source, begin + size, name)
    return stream(source, begin, begin + size)


def _check_end(source: Ranges, end: int, name: str) -> None:
    if end > source.size:
        raise _truncated(name, source.size, end)


def _truncated(name: str, held: int, needed: int) -> BadInput:
    return BadInput(f"{name}: the tar file is truncated: it ends at byte {held}, the member at {needed}; copy it again")


@dataclass(frozen=True)
class _Index:
    source: Ranges
    places: Mapping[str, tuple[int, int]]
    broken: bool

    @staticmethod
    def of(source: Ranges) -> "_Index":
        places: dict[str, tuple[int, int]] = {}
        broken = False
        file = io.BufferedReader(Window(source, 0, source.size), buffer_size=1 << 16)
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                for info in tar:
                    if info.isreg():
                        places[info.name] = (info.offset_data, info.size)
        except (tarfile.TarError, EOFError) as error:
            if not places:
                raise BadInput(f"{source.name}: cannot be read as a tar file ({error})") from error
            broken = True
        if reason := failure(file):
            raise reason
        return _Index(source, places, broken)


_INDEXES: Kept[_Index] = Kept(64)
