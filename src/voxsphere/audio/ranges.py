"""The bytes of a file from one place to another, whether it lies on a disk, on a web server or in an object store."""

import io
import os
import sys
from typing import BinaryIO, Protocol

from voxsphere.audio.addresses import COPIED, is_remote, shown
from voxsphere.audio.kept import Kept
from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing


class Ranges(Protocol):
    """A file that is read by ranges. `gulp` is how many bytes are worth fetching at once rather than bit by bit."""

    name: str
    gulp: int

    @property
    def size(self) -> int: ...

    def read(self, begin: int, end: int) -> bytes:
        """The bytes from `begin` to `end`; fewer where the file ends before. Safe among threads."""
        ...


def ranges(file: str) -> Ranges:
    """The file at a path or an address, opened once in a process as long as it is among the last ones used."""
    if is_remote(file):
        from voxsphere.audio.remote import Remote, copied

        if not file.startswith(COPIED):
            return _REMOTES.get(file, lambda: Remote(file))
        return _REMOTES.get(file, lambda: Local(str(copied(file.removeprefix(COPIED))), shown(file)))
    try:
        about = os.stat(file)
    except OSError:
        about = os.stat(existing(file))
    # A file that was written again is another one.
    return _LOCALS.get((file, about.st_ino, about.st_size, about.st_mtime_ns), lambda: Local(file))


def stream(source: Ranges, begin: int, end: int) -> BinaryIO:
    """A readable, seekable file of the bytes from `begin` to `end`: in memory where it is small, else read as used."""
    if end - begin <= source.gulp:
        return io.BytesIO(source.read(begin, end))
    return io.BufferedReader(Window(source, begin, end), buffer_size=max(1 << 16, source.gulp >> 3))


class Local:
    """A file on a disk. Its descriptor has no position of its own in use, so threads share it."""

    gulp = 1 << 20

    def __init__(self, file: str, name: str | None = None) -> None:
        self.name, self._file = name or file, file
        path = existing(file)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise BadInput(f"{self.name}: cannot be read ({error.strerror})") from error
        self.size = os.fstat(self._descriptor).st_size

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def read(self, begin: int, end: int) -> bytes:
        end = min(end, self.size)
        if begin >= end:
            return b""
        try:
            piece = self._at(begin, end - begin)
            while begin + len(piece) < end and (more := self._at(begin + len(piece), end - begin - len(piece))):
                piece += more
        except OSError as error:
            raise BadInput(f"{self.name}: cannot be read ({error.strerror})") from error
        return piece

    def _at(self, begin: int, count: int) -> bytes:
        if sys.platform == "win32":  # which has no read that leaves the descriptor's position alone
            with open(self._file, "rb") as file:
                file.seek(begin)
                return file.read(count)
        return os.pread(self._descriptor, count, begin)


class Window(io.RawIOBase):
    """A part of a file as a file of its own.

    Decoders written in C call it and swallow what it raises: so it raises nothing, ends there, and keeps the reason
    in `failure`.
    """

    def __init__(self, source: Ranges, begin: int, end: int) -> None:
        self.source, self.begin, self.end = source, begin, end
        self.place = 0
        self.failure: BadInput | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.place, os.SEEK_END: self.end - self.begin}[whence]
        self.place = max(0, base + offset)
        return self.place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        first = self.begin + self.place
        try:
            piece = self.source.read(first, min(self.end, first + len(buffer)))
        except BadInput as error:
            self.failure = error
            return 0
        buffer[: len(piece)] = piece
        self.place += len(piece)
        return len(piece)


def failure(file: object) -> BadInput | None:
    """Why a file that `stream` gave ended early, if it did."""
    window = getattr(file, "raw", None)
    return window.failure if isinstance(window, Window) else None


def stamp(file: str) -> str:
    """What tells that a file is still the same one: size and time on a disk, the store's own mark elsewhere."""
    if is_remote(file):
        from voxsphere.audio.remote import Remote

        return Remote(file.removeprefix(COPIED)).mark()
    about = os.stat(file)
    return f"{about.st_size} {about.st_mtime_ns}"


_LOCALS: Kept[Ranges] = Kept(64)
_REMOTES: Kept[Ranges] = Kept(64)
