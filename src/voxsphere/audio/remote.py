"""Files on web servers and in object stores, read by ranges through fsspec."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from voxsphere.audio.addresses import shown
from voxsphere.core.errors import BadInput

T = TypeVar("T")

_ATTEMPTS = 4
_PAUSE = 0.25  # seconds before the second attempt, doubled for each further one
_PASSING = {408, 425, 429}  # with the 5xx: answers that may be another one a moment later


class Remote:
    """A file that fsspec knows how to reach. Keys, endpoints and the like are fsspec's own settings and variables."""

    gulp = 8 << 20

    def __init__(self, address: str) -> None:
        self.name = shown(address)
        self._files, self._path = self._tried(lambda: _open(address, self.name))

    @cached_property
    def size(self) -> int:
        """Bytes."""
        size = self._tried(lambda: self._files.info(self._path)).get("size")
        if size is None:
            raise BadInput(f"{self.name}: the server does not tell its size; copy it here, or use simplecache::")
        return int(size)

    def mark(self) -> str:
        """What the store says of this state of the file: its tag, else size and time."""
        about = self._tried(lambda: self._files.info(self._path))
        known = [
            str(about[key]) for key in ("ETag", "etag", "size", "LastModified", "mtime", "created") if key in about
        ]
        return " ".join(known)

    def read(self, begin: int, end: int) -> bytes:
        if begin >= end:
            return b""
        piece: bytes = self._tried(lambda: self._files.cat_file(self._path, start=begin, end=end))
        if len(piece) > end - begin:
            raise BadInput(f"{self.name}: the server sends no parts of files; copy it here, or use simplecache::")
        return piece

    def copy(self, to: Path) -> None:
        """Copy the whole file; it appears when all of it is there."""
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=to.parent) as folder:
                half = Path(folder) / "half"
                self._tried(lambda: self._files.get_file(self._path, str(half)))
                os.replace(half, to)
        except OSError as error:
            raise BadInput(f"{self.name}: cannot be copied to {to.parent} ({error.strerror})") from None

    def _tried(self, action: Callable[[], T]) -> T:
        for attempt in range(_ATTEMPTS):
            try:
                return action()
            except BadInput:
                raise
            except PermissionError:
                raise BadInput(f"{self.name}: may not be read with the keys that are set here") from None
            except Exception as error:  # each store's client has exceptions of its own
                cause = _cause(error)
                status = 404 if isinstance(cause, FileNotFoundError) else getattr(cause, "status", None)
                if status == 404:
                    raise BadInput(f"{self.name}: no such file there") from None
                lasting = isinstance(status, int) and status < 500 and status not in _PASSING
                if lasting or attempt == _ATTEMPTS - 1:
                    # The client's own words may hold the address with its keys: only the kind is told.
                    reason = f"status {status}" if isinstance(status, int) else type(cause).__name__
                    raise BadInput(f"{self.name}: cannot be fetched ({reason})") from None
            time.sleep(_PAUSE * 2**attempt)
        raise AssertionError  # the last attempt has returned or raised


def _cause(error: Exception) -> BaseException:
    """What went wrong: fsspec's web client calls any trouble "not found" and tells only here what it was."""
    cause = error.__cause__
    web = isinstance(cause, OSError) or type(cause).__module__.startswith("aiohttp")
    return cause if cause is not None and web and isinstance(error, FileNotFoundError) else error


def _open(address: str, name: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise BadInput(f"{name}: addresses need fsspec: pip install 'voxsphere[data]'") from None
    try:
        files, path = url_to_fs(address)
    except ImportError as error:
        needed = getattr(error, "name", None) or "another package"
        raise BadInput(f"{name}: such addresses need {needed}: pip install 'voxsphere[data]'") from None
    except ValueError:
        raise BadInput(f"{name}: no way is known to read such an address") from None
    return files, path


def copied(address: str) -> Path:
    """The copy of a file in the cache folder (`VOXSPHERE_CACHE`, else the user's own), made at its first use.

    It is kept for good: a file that changes at its address is to be removed from the cache by hand.
    """
    given, base = os.environ.get("VOXSPHERE_CACHE"), os.environ.get("XDG_CACHE_HOME")
    home = Path(given) if given else (Path(base) if base else Path.home() / ".cache") / "voxsphere"
    copy = home / "remote" / hashlib.sha256(address.encode()).hexdigest()[:32]
    if not copy.exists():
        Remote(address).copy(copy)
    return copy
