"""Every file below a folder, quickly: symbolic links are followed, loops and what cannot be read are not."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class Walk:
    """What lies below a folder: the files' names relative to it, sorted, and the paths that could not be read."""

    root: Path
    files: tuple[str, ...]
    unreadable: tuple[str, ...]

    def named(self, file: str) -> Path | None:
        """The first file of that name, in whatever folder."""
        return next((self.root / name for name in self.files if name == file or name.endswith(f"/{file}")), None)


def walk(root: str | Path) -> Walk:
    """All files below `root` but hidden ones. Names that are no UTF-8 and links to nothing are `unreadable`.

    A linked folder is followed unless it leads back to one that it lies in. `BadInput` if `root` is no folder.
    """
    top = str(root)
    if not os.path.isdir(top):
        raise BadInput(f"{top}: {'is no folder' if os.path.exists(top) else 'no such folder'}")
    unreadable: list[str] = []
    files = sorted(_below(top, "", (), os.path.realpath(top), unreadable))
    return Walk(Path(root), tuple(files), tuple(sorted(unreadable)))


def _below(path: str, prefix: str, linked: tuple[str, ...], real: str, unreadable: list[str]) -> Iterator[str]:
    """The names below `path`; `linked` are the real folders in which links were followed on the way here."""
    try:
        with os.scandir(path) as opened:
            entries = list(opened)
    except OSError:
        unreadable.append(_shown(path))
        return
    for entry in entries:
        name = entry.name
        if name.startswith("."):
            continue
        if not name.isascii() and _shown(name) != name:
            unreadable.append(_shown(entry.path))
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, f"{prefix}{name}/", linked, f"{real}/{name}", unreadable)
        elif not entry.is_symlink():
            yield f"{prefix}{name}"
        elif os.path.isdir(entry.path):
            target = os.path.realpath(entry.path)
            if not any(place == target or place.startswith(f"{target.rstrip('/')}/") for place in (*linked, real)):
                yield from _below(entry.path, f"{prefix}{name}/", (*linked, real), target, unreadable)
        elif os.path.exists(entry.path):
            yield f"{prefix}{name}"
        else:
            unreadable.append(entry.path)


def _shown(text: str) -> str:
    """A name as text: bytes that are no UTF-8 are written as escapes."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")
