"""Files that are either whole or not there: atomic writes, and reads that name the file when they fail."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from voxsphere.core.errors import BadInput, one_line


@contextmanager
def atomic(path: str | Path, mode: str = "w", *, outdates: Iterable[Path] = ()) -> Iterator[IO[Any]]:
    """Open a file beside `path` for writing ("w" or "wb") and move it into place when the block ends without error.

    A reader sees the old file or the new one, never a half; a failed block leaves the old file as it was. The files
    that it `outdates`, such as lists of places in it, go right before the old one does: they would name what is no
    more if they were not written anew afterwards.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose a place you may write to") from error
    try:
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_UMASK)
        for old in outdates:
            old.unlink(missing_ok=True)
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise BadInput(f"{path}: cannot be written ({error.strerror or error})") from error
        raise


def check_writable(path: str | Path) -> None:
    """`BadInput` if `atomic` could not write to `path`: better known before hours of work than after them."""
    path = Path(path)
    if path.is_dir():
        raise BadInput(f"{path}: is a directory where a file is to be written")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}); choose a place you may write to") from error


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file; `BadInput` says why it cannot be read."""
    path = existing(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: is not UTF-8 text (byte {error.start}); is it the right file?") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error


def lines_of(path: str | Path) -> Iterator[str]:
    """The lines of a UTF-8 file, one after the other, for files that are too long to hold; errors as `read_text`'s."""
    path = existing(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: is not UTF-8 text (byte {error.start}); is it the right file?") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error


def read_json(path: str | Path) -> Any:
    """The content of a JSON file; `BadInput` names the line that is wrong."""
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}: line {error.lineno} is not JSON ({error.msg})") from error
    except (RecursionError, ValueError) as error:  # nested too deep, or a number of thousands of digits
        raise BadInput(f"{path}: is no JSON that can be read ({one_line(error)}); is it the right file?") from error


def write_json(path: str | Path, content: object) -> None:
    """Write `content` as indented JSON, atomically."""
    with atomic(path) as file:
        json.dump(content, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def expanded(path: str) -> str:
    """The path with its environment variables and `~`; `BadInput` names a variable that is not set."""
    if Path(path).exists():  # also with a $ in its name
        return path
    whole = os.path.expandvars(os.path.expanduser(path))
    if "$" in whole:
        name = whole[whole.index("$") + 1 :].split("/")[0].strip("{}")
        raise BadInput(f"{path}: the environment variable {name} is not set; set it, or name the path itself")
    return whole


def existing(path: str | Path) -> Path:
    """`path` if it is a file that is there, else `BadInput`."""
    path = Path(path)
    try:
        if path.is_dir():
            raise BadInput(f"{path}: is a directory where a file is expected")
        if not path.exists():
            raise BadInput(f"{path}: no such file")
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
    return path


def cache_folder() -> Path:
    """`VOXSPHERE_CACHE`, or `voxsphere` in the user's cache folder."""
    given = os.environ.get("VOXSPHERE_CACHE")
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(given) if given else (Path(base) if base else Path.home() / ".cache") / "voxsphere"


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(content: bytes | memoryview) -> str:
    """Sixteen letters that stand for these bytes; a file that carries them as `…-DIGEST.ending` can be proven whole."""
    return hashlib.sha256(content).hexdigest()[:16]


def named_by(path: Path, content: bytes) -> bool:
    """Whether this content is what the digest in the file's name was made of."""
    return digest(content) == path.stem.rpartition("-")[2]


def _read_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# The process's umask can only be read by setting it, which is no thing to do while threads run: once, on import.
_UMASK = _read_umask()
