"""What verbs share: their common options, what they say of manifests and lists, JSON on stdout."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxsphere.core.errors import BadInput
from voxsphere.core.files import check_writable

if TYPE_CHECKING:
    from voxsphere.core.manifest import Manifest
    from voxsphere.core.trials import Trials

Source = Annotated[
    Path, typer.Argument(metavar="MANIFEST", help="A .tsv or .parquet, a Kaldi folder, or a folder a speaker.")
]
Where = Annotated[
    list[str] | None, typer.Option("--where", metavar="COLUMN=VALUE", help="Only recordings of which this is told.")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads; one a core if not given.")]
Seed = Annotated[int, typer.Option(help="Another seed draws others.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Model = Annotated[str, typer.Option("--model", "-m", help="A known name, a folder, an address, or a hub id.")]
DEFAULT = "campplus-zh-en"

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


def refuse_given(context: typer.Context, names: Sequence[str], because: str) -> None:
    """`BadInput` for an option that was given where it would be passed over in silence; `because` says why, and mends.

    `names` are those of the verb's parameters.
    """
    options = {each.name: each.opts[0] for each in context.command.params}
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise BadInput(f"{options[name]}: {because}")


class ListForm(StrEnum):
    """The two forms of a trial list."""

    VOXCELEB = "voxceleb"
    KALDI = "kaldi"


def saved(trials: "Trials", name: str, path: Path, form: ListForm = ListForm.VOXCELEB) -> dict[str, Any]:
    """Save a trial list, and say what it is."""
    if blank := next((each for each in trials.ids if each.split() != [each]), None):
        raise BadInput(f"{path}: a trial list cannot hold an id with blanks, such as {blank!r}; give ids without")
    trials.save(path, form.value)
    return {"name": name, "path": str(path), "trials": len(trials)}


def size(manifest: "Manifest") -> dict[str, int]:
    """How much it holds, for JSON."""
    return {"utterances": len(manifest), "speakers": len(manifest.speakers)}
