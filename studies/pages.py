"""Pages that are made of stored figures: written, or compared with what lies there."""

from collections.abc import Mapping
from pathlib import Path

import typer

from voxsphere.core.files import atomic


def publish(files: Mapping[Path, str], *, check: bool) -> None:
    """Write the files; with `check` leave them, and exit with 1 and a line that names those that differ, if any do."""
    if check:
        differ = [str(path) for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
        if differ:
            typer.echo(
                f"{', '.join(differ)}: not what the stored figures say; leave out --check to write them", err=True
            )
            raise typer.Exit(1)
        return
    for path, text in files.items():
        with atomic(path) as file:
            file.write(text)
