"""The verb identify: which of the speakers that a run learnt said each utterance.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxsphere.cli.options import SHOWN, Json, Source, Workers, print_json, refuse_given
from voxsphere.core.errors import BadInput
from voxsphere.core.files import check_writable

if TYPE_CHECKING:
    from voxsphere.core.manifest import Manifest
    from voxsphere.evaluate.identification import Decisions, Identified


class Way(StrEnum):
    """What an utterance's decision rests on."""

    AUTO = "auto"
    FRAMES = "frames"
    POSTERIORS = "posteriors"
    EMBEDDING = "embedding"
    POOLED = "pooled"


# Long by its options and by what its help says; what it does is told in some thirty lines.
def identify(
    context: typer.Context,
    manifest: Source,
    run: Annotated[Path, typer.Option(help="The folder of a training run, whose speakers are to choose from.")],
    out: Annotated[
        Path | None, typer.Option(help="Decisions: `id<TAB>speaker` lines (.txt, .log), or a table (.tsv).")
    ] = None,
    split: Annotated[str, typer.Option(help="Only the utterances of this split, such as test.")] = "",
    by: Annotated[
        Way, typer.Option(help="Sum over frames or pieces, or average their embeddings; auto suits the network.")
    ] = Way.AUTO,
    crops: Annotated[int | None, typer.Option(min=1, help="Judge by so many drawn crops, as extract does.")] = None,
    crop_seconds: Annotated[float, typer.Option(help="The length of a crop.")] = 3.015,
    plain_crops: Annotated[bool, typer.Option("--plain-crops", help="As extract does.")] = False,
    workers: Workers = None,
    confusion: Annotated[
        Path | None, typer.Option(help="How often each speaker (row) was taken for each (column): a table (.tsv).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Name the speaker of each utterance, of those that a run has learnt, and say how often that is right.

    With --crops N each is judged by the mean of what N pieces are pooled to, drawn as `extract --crops` draws them.
    Where the manifest says who speaks, the share of right decisions is told (top-1 and top-5) with its 95 % interval,
    and who is most often taken for whom; utterances without a speaker are decided on and not counted. Exit status 2 if
    some could not be judged. JSON: out, decided, failures, and results (top1, top5, error, their intervals, log_loss,
    the mean −log p(true speaker) in nats, counts, confused), null where nobody is named.
    """
    from voxsphere.cli import show
    from voxsphere.data.manifests import open_manifest
    from voxsphere.data.split_table import named, shared_dataset
    from voxsphere.extract.crops import DrawnCrops
    from voxsphere.train.classifier import PARTS_TOLD, Pieces, classifier_of, windows
    from voxsphere.train.posteriors import way_of

    _check_files(out, confusion)
    if crops is None:
        refuse_given(context, ("crop_seconds", "plain_crops"), "is of drawn crops; say how many by --crops")
    whole, classifier = _of_split(named(open_manifest(manifest)), split, manifest), classifier_of(run)
    if confusion is not None and not any(whole.speaker_of().values()):
        raise BadInput(f"--confusion {confusion}: {manifest} tells no speaker, and nobody is taken for another")
    way = way_of(classifier.model, by.value)
    pieces: Pieces = windows
    if crops is not None:
        pieces = drawn = DrawnCrops(count=crops, seconds=crop_seconds, plain=plain_crops)
        drawn.check(classifier.model)
        way = "pooled" if by is Way.AUTO else way
    with show.progress("listening", total=len(whole)) as progress:
        decisions, failures = classifier.decide(whole, by=way, pieces=pieces, workers=workers, progress=progress)
    # A run on one data set calls its speakers as that does.
    common = shared_dataset(classifier.speakers)
    decisions = replace(decisions, speakers=tuple(name.removeprefix(common) for name in classifier.speakers))
    speaker_of = {name: speaker.removeprefix(common) for name, speaker in whole.speaker_of().items() if speaker}
    if out is not None:
        decisions.save(out, speaker_of=speaker_of)
    found = None
    if any(name in speaker_of for name in decisions.ids):
        from voxsphere.evaluate.identification import identify as measure
        from voxsphere.evaluate.identification import save_confusion

        found = measure(decisions, speaker_of, parts=PARTS_TOLD[way])
        if confusion is not None:
            save_confusion(decisions, speaker_of, confusion)
    _tell(decisions, found, failures, out, as_json=as_json)
    if failures:
        raise typer.Exit(2)


def _check_files(out: Path | None, confusion: Path | None) -> None:
    if out is not None and out.suffix not in (".txt", ".log", ".tsv"):
        raise BadInput(f"--out {out}: decisions are named .txt, .log or .tsv")
    if confusion is not None and confusion.suffix != ".tsv":
        raise BadInput(f"--confusion {confusion}: the table is named .tsv")
    for path in filter(None, (out, confusion)):
        check_writable(path)


def _tell(
    decisions: "Decisions",
    found: "Identified | None",
    failures: tuple[tuple[str, str], ...],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    from voxsphere.cli import show

    if as_json:
        listed = [{"id": name, "reason": reason} for name, reason in failures]
        results = None if found is None else found.to_json()
        told: dict[str, Any] = {"out": None if out is None else str(out), "decided": len(decisions)}
        print_json({**told, "failures": listed, "results": results})
    else:
        show.identified(decisions, found, out)
        for _, reason in failures[:SHOWN]:
            typer.echo(f"voxsphere: {reason}", err=True)
        if failures:
            typer.echo(f"voxsphere: {len(failures)} utterances could not be judged", err=True)


VERBS: tuple[Callable[..., None], ...] = (identify,)


def _of_split(whole: "Manifest", split: str, name: Path) -> "Manifest":
    from voxsphere.core.manifest import Manifest

    if not split:
        return whole
    kept = tuple(utterance for utterance in whole if utterance.split == split)
    if not kept:
        known = ", ".join(sorted({utterance.split for utterance in whole} - {""})) or "none"
        raise BadInput(f"{name}: no utterance is of split {split!r}; there are: {known}")
    return Manifest(kept)
