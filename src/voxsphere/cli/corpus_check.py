"""The verb that checks a corpus.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxsphere.cli.options import SHOWN, Json, Source, Workers, check_table, print_json
from voxsphere.core.errors import BadInput

if TYPE_CHECKING:
    from voxsphere.core.embeddings import Embeddings
    from voxsphere.core.manifest import Manifest


# Long by its options and by the contract of its JSON; what it does is told in twenty-five lines.
def check(
    manifest: Source,
    trials: Annotated[
        list[Path] | None, typer.Option(help="A trial list that is tested with; may be repeated.")
    ] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="A further manifest, of what is tested with or taught with as well.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Embed everything with this model, to find near-duplicates.")
    ] = None,
    embeddings: Annotated[
        list[Path] | None, typer.Option(help="Instead: what `extract` made of MANIFEST, then of each --against.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write MANIFEST again, with duration and speech_seconds, without what is broken."),
    ] = None,
    fail: Annotated[bool, typer.Option("--check", help="Exit with 1 if anything is broken or leaks.")] = False,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Decode, count and hash a corpus; find what is broken, and what it shares with trials and other manifests.

    What trains on whole utterances or batches of like length takes the table that --out writes: .tsv or .parquet.

    JSON: clean; utterances, speakers, seconds, speech_seconds; groups (dataset, gender, utterances, speakers, seconds,
    speech_seconds); sample_rates (Hz to utterances); broken (id, reason, manifest: "" for MANIFEST); silent, short,
    speechless, clipped (ids); single (speakers of one utterance); duplicates (ids, speakers); lists (name, trials,
    recordings, missing, of_itself, contrary, taught, test_list); leaks (kind: speaker, file, content or sound; where,
    test, training, likeness); out (null if not asked for).
    """
    from voxsphere.cli import show, show_corpus
    from voxsphere.core.trials import Trials
    from voxsphere.data.check import check as check_manifest
    from voxsphere.data.manifests import open_manifest

    if model is not None and embeddings:
        raise BadInput("--model and --embeddings say the same thing; give one of them")
    if out is not None:
        check_table(out)
    opened = open_manifest(manifest)
    others = [(str(path), open_manifest(path)) for path in against or ()]
    lists = [(path.name, Trials.load(path)) for path in trials or ()]
    made = _embeddings([opened, *(other for _, other in others)], model, embeddings or (), workers)
    total = len(opened) + sum(len(other) for _, other in others)
    with show.progress("decoding", total=total) as progress:
        report = check_manifest(
            opened, trials=lists, others=others, embeddings=made, workers=workers, progress=progress
        )
    if out is not None:
        if not len(report.measured):
            raise BadInput(f"{out}: is not written, nothing could be decoded; the first: {report.broken[0].reason}")
        report.measured.save(out)
    if as_json:
        print_json(report.to_json() | {"out": str(out) if out is not None else None})
    else:
        show_corpus.report(report, shown=SHOWN)
        if out is not None:
            show_corpus.manifest(report.measured, out, "that can be decoded")
    if fail and not report.clean:
        raise typer.Exit(1)


def _embeddings(
    manifests: Sequence["Manifest"], model: str | None, files: Sequence[Path], workers: int | None
) -> list["Embeddings"]:
    """One set a manifest: those in the files, or made with the model; none where neither is given."""
    import tempfile

    from voxsphere.cli import show
    from voxsphere.core.embeddings import Embeddings
    from voxsphere.core.manifest import Manifest

    if model is None:
        return [Embeddings.load(path) for path in files]
    from voxsphere.extract.corpus import extract
    from voxsphere.pretrained import load

    pretrained, made = load(model), []
    with tempfile.TemporaryDirectory() as folder:
        for number, whole in enumerate(manifests):
            out = Path(folder) / f"{number}.safetensors"
            own = Manifest(tuple(utterance for utterance in whole if utterance.speed == 1))
            with show.progress("embedding", total=len(own)) as progress:
                extract(pretrained, own, out, workers=workers, progress=progress)
            made.append(Embeddings.load(out) if out.exists() else _nothing(pretrained.model.dim))
    return made


def _nothing(dim: int) -> "Embeddings":
    import numpy as np

    from voxsphere.core.embeddings import Embeddings

    return Embeddings((), np.zeros((0, dim), np.float32))
