"""The verb cuts: random pieces of a corpus, for a model that learns from stored features of them.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from voxsphere.cli.options import SHOWN, Json, Seed, Source, Workers, check_table, print_json, refuse_given, size
from voxsphere.core.errors import BadInput

if TYPE_CHECKING:
    from voxsphere.data.cuts import Cuts


# Long by its options and by what its help says; what it does is told in twenty lines.
def cuts(
    context: typer.Context,
    manifest: Source,
    out: Annotated[Path, typer.Option(help="The manifest of cuts to write: .tsv or .parquet.")],
    trim_edges: Annotated[
        bool, typer.Option("--trim-edges", help="Leave out what lies before the first and after the last loud sample.")
    ] = False,
    percentile: Annotated[float, typer.Option(help="Of |x|: a sample above it is loud.")] = 95.0,
    per_speaker: Annotated[
        str, typer.Option(metavar="N|auto|whole", help="Cuts a speaker and side; whole: one a recording, all of it.")
    ] = "1000",
    length: Annotated[
        str,
        typer.Option(
            metavar="SECONDS|drawn", help="A shorter recording is taken whole; drawn: between two drawn points."
        ),
    ] = "drawn",
    least: Annotated[
        float, typer.Option(help="Drawn cuts, and recordings, are so many seconds long at least.")
    ] = 0.115,
    share: Annotated[
        str, typer.Option(help="How many of a speaker's recordings judge: a share (0.2), a number (2), or 0.")
    ] = "0.2",
    dev: Annotated[str, typer.Option(help="What their split is named.")] = "dev",
    split_table: Annotated[str, typer.Option(help="A table of speakers and their splits; train alone is shared.")] = "",
    rate: Annotated[int, typer.Option(min=1, help="The rate of the model that is to hear the cuts, in Hz.")] = 8000,
    seed: Seed = 0,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Draw random cuts of a corpus, equally many of each speaker; `features extract` then computes theirs.

    Edges that were measured are kept in STEM.edges.tsv beside OUT: a second call measures only what is new. Exit status
    2 if a recording could not be read; those that are too short are told and left out. JSON: out, utterances, speakers,
    splits (cuts of each), failures (id, reason), notes.
    """
    from voxsphere.cli import show
    from voxsphere.data.cuts import Plan
    from voxsphere.data.cuts import cuts as draw_cuts
    from voxsphere.data.manifests import open_manifest
    from voxsphere.data.split_table import with_splits

    check_table(out)
    if per_speaker == "whole":
        refuse_given(context, ("length", "least"), "is of cuts; --per-speaker whole takes all of each recording")
    if not trim_edges:
        refuse_given(context, ("percentile",), "is of edges; they are left out by --trim-edges")
    plan = Plan(
        per_speaker=_per_speaker(per_speaker),
        length=None if length == "drawn" else _number("--length", length),
        least=least,
        percentile=percentile if trim_edges else None,
        share=int(share) if share.isdecimal() else _number("--share", share),
        dev=dev,
        rate=rate,
        seed=seed,
    )
    whole = with_splits(open_manifest(manifest), split_table)
    with show.progress("measuring", total=len(whole)) as progress:
        made = draw_cuts(whole, plan, memory=out.with_suffix(".edges.tsv"), workers=workers, progress=progress)
    made.manifest.save(out)
    _tell(made, out, as_json=as_json)
    if made.failures:
        raise typer.Exit(2)


def _tell(made: "Cuts", out: Path, *, as_json: bool) -> None:
    from voxsphere.cli import show_corpus

    if as_json:
        splits = sorted({u.split for u in made.manifest})
        counts = {split: sum(u.split == split for u in made.manifest) for split in splits}
        failures = [{"id": name, "reason": reason} for name, reason in made.failures]
        print_json(
            {"out": str(out), **size(made.manifest), "splits": counts, "failures": failures, "notes": list(made.notes)}
        )
    else:
        show_corpus.manifest(made.manifest, out, rows="cuts")
        for line in (*(reason for _, reason in made.failures[:SHOWN]), *made.notes):
            typer.echo(f"voxsphere: {line}", err=True)
        if made.failures:
            typer.echo(f"voxsphere: {len(made.failures)} recordings were left out", err=True)


def _per_speaker(text: str) -> int | Literal["auto", "whole"]:
    if text == "auto":
        return "auto"
    if text == "whole":
        return "whole"
    if not text.isdecimal():
        raise BadInput(f"--per-speaker {text}: give a number, auto, or whole")
    return int(text)


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{option} {text}: is no number") from None
