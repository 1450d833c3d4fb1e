"""The verbs of a corpus: prepare, check, split, trials, cuts, pack; `VERBS` is what the command line registers.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from voxsphere.cli.corpus_check import check
from voxsphere.cli.corpus_prepare import prepare
from voxsphere.cli.cuts import cuts
from voxsphere.cli.options import (
    SHOWN,
    Json,
    ListForm,
    Seed,
    Source,
    Where,
    Workers,
    print_json,
    refuse_given,
    saved,
    size,
)
from voxsphere.core.errors import BadInput

DRAWING = (
    "targets", "nontargets_per_target", "same_gender", "same_language", "same_dataset", "cross_session", "seed",
)  # fmt: skip
"""The parameters of `trials` that say how trials are drawn."""


class Store(StrEnum):
    """What `pack` makes."""

    SHARDS = "shards"
    HDF5 = "hdf5"


class Encoding(StrEnum):
    """How `pack` stores sound."""

    AS_IS = "as-is"
    FLAC = "flac"
    OPUS = "opus"


def split(
    manifest: Source,
    out: Annotated[
        Path, typer.Option(help="A folder for train.tsv and held_out.tsv; or one table, with a column split.")
    ],
    held_out: Annotated[str, typer.Option(help="A share of the speakers (0.1), or their number (50).")] = "0.1",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Split a corpus by speakers into those who teach and those held out to judge, fair to data sets and genders.

    JSON: train and held_out, each with path, utterances and speakers; the path is the same where one table is written.
    """
    from voxsphere.cli import show_corpus
    from voxsphere.data.manifests import open_manifest
    from voxsphere.data.split import marked
    from voxsphere.data.split import split as split_speakers

    whole = open_manifest(manifest)
    teaching, judging = split_speakers(whole, held_out=_share(held_out), seed=seed)
    if out.suffix in (".tsv", ".parquet"):
        paths = out, out
        marked(whole, judging).save(out)
    else:
        paths = out / "train.tsv", out / "held_out.tsv"
        teaching.save(paths[0])
        judging.save(paths[1])
    if as_json:
        sides = zip(("train", "held_out"), paths, (teaching, judging), strict=True)
        print_json({name: {"path": str(path), **size(side)} for name, path, side in sides})
    else:
        show_corpus.manifest(teaching, paths[0], "to learn from")
        show_corpus.manifest(judging, paths[1], "held out")


def trials(
    context: typer.Context,
    manifest: Source,
    out: Annotated[Path, typer.Option(help="The list to write.")],
    targets: Annotated[int, typer.Option(min=1, help="How many target trials, dealt evenly to the speakers.")] = 10_000,
    nontargets_per_target: Annotated[int, typer.Option(min=0, help="Non-target trials for each of them.")] = 5,
    same_gender: Annotated[bool, typer.Option(help="Non-targets are of one gender.")] = True,
    same_language: Annotated[bool, typer.Option(help="Non-targets are of one language.")] = False,
    same_dataset: Annotated[bool, typer.Option(help="Non-targets are of one data set.")] = True,
    cross_session: Annotated[
        bool, typer.Option(help="Targets are of two sessions, for speakers who have them.")
    ] = True,
    all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Every two recordings; nothing is drawn.")] = False,
    where: Where = None,
    form: Annotated[ListForm, typer.Option(help="`1 a b`, or `a b target`.")] = ListForm.VOXCELEB,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Draw a trial list, balanced over the speakers of a corpus.

    With --all-pairs it holds every two recordings, and takes no option of drawing: n (n - 1) / 2 lines of n recordings,
    11.9 million of VoxCeleb1's 4,872 for verification. A list or a score file whose name ends in .parquet (extra
    `data`) is small and quick. What could not be done as asked is told on stderr. JSON: out, trials, targets,
    nontargets, recordings, notes.
    """
    from voxsphere.data.all_pairs import all_pairs as every_pair
    from voxsphere.data.manifests import open_manifest
    from voxsphere.data.pairs import Drawn, draw
    from voxsphere.data.where import where as met

    if all_pairs:
        refuse_given(context, DRAWING, "is of drawing, and --all-pairs draws nothing; leave one of them out")
    whole = met(open_manifest(manifest), where or [])
    drawn = (
        Drawn(every_pair(whole), ())
        if all_pairs
        else draw(
            whole,
            targets=targets,
            nontargets_per_target=nontargets_per_target,
            same_gender=same_gender,
            same_language=same_language,
            same_dataset=same_dataset,
            cross_session=cross_session,
            seed=seed,
        )
    )
    saved(drawn.trials, out.name, out, form)
    count = len(drawn.trials)
    same = int(drawn.trials.target.sum()) if drawn.trials.target is not None else 0
    if as_json:
        counts = {"trials": count, "targets": same, "nontargets": count - same, "recordings": len(drawn.trials.ids)}
        print_json({"out": str(out), **counts, "notes": list(drawn.notes)})
        return
    typer.echo(f"{count} trials of {len(drawn.trials.ids)} recordings, {same} of them targets, in {out}")
    for note in drawn.notes:
        typer.echo(f"voxsphere: {note}", err=True)


def pack(
    manifest: Source,
    out: Annotated[Path, typer.Option(help="A folder for shards, or a file .h5.")],
    to: Annotated[Store | None, typer.Option(help="Told by the ending of --out if not given.")] = None,
    encoding: Annotated[Encoding, typer.Option(help="flac rounds to 16 bits; opus is for shards.")] = Encoding.AS_IS,
    shard_megabytes: Annotated[int, typer.Option(min=1, help="Megabytes at which a shard is closed.")] = 256,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Pack a corpus into tar shards or one HDF5 file, with a manifest of it; a second call goes on with shards.

    Exit status 2 if a recording had to be left out. JSON: out, manifest, utterances, speakers, failures (id, reason).
    """
    from voxsphere.cli import show, show_corpus
    from voxsphere.data.manifests import open_manifest
    from voxsphere.data.pack import pack as pack_corpus

    whole = open_manifest(manifest)
    form = to or (Store.HDF5 if out.suffix in (".h5", ".hdf5") else Store.SHARDS)
    with show.progress("packing", total=len(whole)) as progress:
        packed = pack_corpus(
            whole,
            out,
            form=form.value,
            encoding=encoding.value,
            shard_megabytes=shard_megabytes,
            workers=workers,
            progress=progress,
        )
    if as_json:
        failures = [{"id": name, "reason": reason} for name, reason in packed.failures]
        print_json({"out": str(out), "manifest": str(packed.path), **size(packed.manifest), "failures": failures})
    else:
        show_corpus.manifest(packed.manifest, packed.path, "packed")
        for _, reason in packed.failures[:SHOWN]:
            typer.echo(f"voxsphere: {reason}", err=True)
        if packed.failures:
            typer.echo(f"voxsphere: {len(packed.failures)} recordings were left out", err=True)
    if packed.failures:
        raise typer.Exit(2)


VERBS: tuple[Callable[..., None], ...] = (prepare, check, split, trials, cuts, pack)


def _share(text: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"--held-out {text}: give a share of the speakers (0.1) or their number (50)") from None
