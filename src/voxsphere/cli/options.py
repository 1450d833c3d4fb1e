"""What the verbs of a corpus share: their common options, and JSON on stdout."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from voxsphere.core.errors import BadInput
from voxsphere.core.files import check_writable

Source = Annotated[
    Path, typer.Argument(metavar="MANIFEST", help="A .tsv or .parquet, a Kaldi folder, or a folder a speaker.")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads; one a core if not given.")]
Seed = Annotated[int, typer.Option(help="Another seed draws others.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

SHOWN = 5
"""How many missing files, and findings of a kind, the terminal shows."""


def check_table(out: Path) -> None:
    """`BadInput` if no manifest could be written to `out`: better known before hours of work than after them."""
    if out.suffix not in (".tsv", ".parquet"):
        raise BadInput(f"{out}: a manifest is named .tsv or .parquet")
    check_writable(out)


def print_json(content: dict[str, Any]) -> None:
    """One line of JSON on stdout."""
    print(json.dumps(content, allow_nan=False))
