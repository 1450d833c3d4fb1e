"""The verb prepare: a corpus as it was downloaded to a manifest, or a manifest to a reference system's own input form.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxsphere.cli.options import SHOWN, Json, check_table, print_json, saved, size
from voxsphere.core.errors import BadInput

if TYPE_CHECKING:
    from voxsphere.data.corpora.prepared import Prepared


def prepare(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="folder, kaldi, voxceleb, librispeech, …, lhotse:NAME. With --as: a manifest."
        ),
    ],
    root: Annotated[Path | None, typer.Argument(metavar="ROOT", help="The folder that the corpus lies in.")] = None,
    *,
    out: Annotated[Path, typer.Option(help="The manifest to write: .tsv or .parquet. With --as: a folder.")],
    system: Annotated[
        str | None, typer.Option("--as", metavar="SYSTEM", help="Write the corpus as this reference system takes it.")
    ] = None,
    split_table: Annotated[str, typer.Option(help="With --as: a table of speakers and their splits.")] = "",
    trials: Annotated[
        list[Path] | None, typer.Option(help="With --as: lists of trials that the system is to be tried on.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="With --as: change an option of the form.")
    ] = None,
    allow_commands: Annotated[
        bool, typer.Option("--allow-commands", help="Run what a wav.scp gives as a command; only lists you trust.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a manifest of a corpus as it was downloaded, and its official trial lists beside it.

    The list NAME is saved as STEM.NAME.txt beside the manifest STEM.tsv. Files and folders that the corpus should have
    and has not are counted, and named in OUT.missing.txt. JSON: out, utterances, speakers, trials (name, path, trials
    of each), missing, missing_list (null if nothing is missing).

    `prepare MANIFEST --as SYSTEM` writes the recordings of a manifest in the files and folders that a reference system
    reads (docs/systems.md). JSON: out, utterances, speakers, notes.
    """
    if system is not None:
        if root is not None:
            raise BadInput(f"--as {system}: takes a manifest alone, not KIND ROOT; make one of {root} first")
        _as_system(system, kind, out, split_table, trials or [], set_ or [], as_json=as_json)
        return
    if root is None:
        raise BadInput(f"prepare {kind}: say where the corpus lies (prepare KIND ROOT), or what to make of it (--as)")
    if split_table or trials or set_:
        raise BadInput("--split-table, --trials and --set go with --as alone")
    from voxsphere.data.corpora import prepare as prepare_corpus

    check_table(out)
    _save(prepare_corpus(kind, root, allow_commands=allow_commands), out, as_json=as_json)


def _save(made: "Prepared", out: Path, *, as_json: bool) -> None:
    """Write the manifest, its lists, and what is missing."""
    from voxsphere.cli import show_corpus
    from voxsphere.core.files import atomic

    made.manifest.save(out)
    lists = [saved(trials, name, out.with_name(f"{out.stem}.{name}.txt")) for name, trials in made.trials.items()]
    listed = out.with_name(f"{out.name}.missing.txt")
    listed.unlink(missing_ok=True)
    if made.missing:
        with atomic(listed) as file:
            file.writelines(f"{path}\n" for path in made.missing)
    told: dict[str, Any] = {"out": str(out), **size(made.manifest), "trials": lists, "missing": len(made.missing)}
    if as_json:
        print_json(told | {"missing_list": str(listed) if made.missing else None})
        return
    show_corpus.manifest(made.manifest, out)
    for each in lists:
        typer.echo(f"{each['trials']} trials in {each['path']}")
    for path in made.missing[:SHOWN]:
        typer.echo(f"voxsphere: {path}: is missing", err=True)
    if made.missing:
        typer.echo(f"voxsphere: {len(made.missing)} in all are missing; they are listed in {listed}", err=True)


def _as_system(
    system: str,
    manifest: str,
    out: Path,
    split_table: str,
    trials: list[Path],
    settings: list[str],
    *,
    as_json: bool,
) -> None:
    from voxsphere.cli import show
    from voxsphere.data.forms import open_corpus, write

    corpus = open_corpus(manifest, split_table=split_table, trials=trials)
    with show.progress("writing", total=len(corpus.teaching) + len(corpus.judging)) as progress:
        made = write(system, corpus, out, settings=settings, progress=progress)
    if as_json:
        sizes = {"utterances": made.utterances, "speakers": made.speakers}
        print_json({"out": str(made.folder), **sizes, "notes": list(made.told)})
        return
    typer.echo(f"{made.utterances} utterances of {made.speakers} speakers: {made.folder}")
    for line in made.told:
        typer.echo(line)
