"""Checkpoints: everything that a run needs to go on to the bit, in one file that is whole or not there."""

import io
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, digest, named_by

KEPT = 2
"""How many checkpoints stay: should the disk damage the newest, the one before it serves."""


def save(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write `state` (tensors, numbers, texts, and lists and dicts of them) and remove all but the newest `KEPT`.

    The file's name carries its digest, so that a file which has changed since is known as damaged. Raises `BadInput`
    when it cannot be written; older checkpoints then stand untouched.
    """
    held = io.BytesIO()
    torch.save(state, held)
    content = held.getbuffer()
    path = folder / f"step-{step:09d}-{digest(content)}.pt"
    with atomic(path, "wb") as file:
        file.write(content)
    for older in _all(folder)[KEPT:]:
        older.unlink(missing_ok=True)
    _sweep(folder)
    return path


def newest(folder: Path, *, reading: bool = False) -> dict[str, Any] | None:
    """The state of the newest checkpoint that is whole, None where there is none.

    Damaged ones are told on stderr and set aside as `damaged-…`, so that they do not count among those that are kept;
    `reading` passes them over and changes nothing.
    Raises `BadInput` where one cannot be read at all, as on a disk that is away: it may be whole.
    """
    for path in _all(folder):
        try:
            content = path.read_bytes()
            if not named_by(path, content):
                raise BadInput("its content is not what was written")
            state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            return state
        except Exception as error:  # damage shows in as many ways as there are bytes
            if isinstance(error, OSError) and not isinstance(error, IsADirectoryError):
                raise BadInput(f"{path}: cannot be read ({error.strerror}); nothing was changed, try again") from error
            if reading:
                continue
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            print(f"voxsphere: {path}: damaged ({reason}), set aside; going on with the one before", file=sys.stderr)
            with suppress(OSError):  # a disk that only reads
                path.rename(path.with_name(f"damaged-{path.name}"))
    return None


def _all(folder: Path) -> list[Path]:
    """The checkpoints, the newest first."""
    return sorted(folder.glob("step-*-*.pt"), reverse=True)


def _sweep(folder: Path) -> None:
    """Remove what killed saves left behind."""
    for rest in folder.glob(".step-*"):
        rest.unlink(missing_ok=True)
