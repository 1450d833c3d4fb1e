"""Pages that are made of stored figures: written, or compared with what lies there."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import typer

from voxsphere.core.files import atomic


def publish(files: Mapping[Path, str], *, check: bool, outdated: Iterable[Path] = ()) -> None:
    """Write the files and remove those that are outdated.

    With `check` all are left; where any differ, or are outdated, a line names them and the command exits with 1.
    """
    if check:
        differ = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
        if wrong := [str(path) for path in (*differ, *sorted(outdated))]:
            typer.echo(
                f"{', '.join(wrong)}: not what the stored figures say; the command without --check mends it", err=True
            )
            raise typer.Exit(1)
        return
    for path in outdated:
        path.unlink()
    for path, text in files.items():
        with atomic(path) as file:
            file.write(text)
