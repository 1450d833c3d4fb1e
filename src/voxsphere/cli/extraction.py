"""The verbs of embeddings: embed, extract.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from voxsphere.cli.options import DEFAULT, Json, Model, Where, Workers, print_json, refuse_given
from voxsphere.core.errors import BadInput


class Average(StrEnum):
    """What `extract` averages of an utterance's crops: the vectors before the last layer, or those after it."""

    POOLED = "pooled"
    EMBEDDING = "embedding"


def embed(
    audio: Annotated[list[Path], typer.Argument(metavar="AUDIO...", help="Audio files.")],
    out: Annotated[Path, typer.Option(help="Embeddings: .safetensors, .npz, .h5, .ark or .scp.")],
    model: Model = DEFAULT,
) -> None:
    """Embed single files."""
    from voxsphere.core.manifest import Manifest, Utterance

    utterances = tuple(Utterance(id=str(path), path=str(path)) for path in dict.fromkeys(audio))
    _extract(Manifest(utterances), model, out, as_json=False, audio=True)


def extract(
    context: typer.Context,
    manifest: Annotated[Path, typer.Argument(help="A .tsv or .parquet, a Kaldi folder, or a folder a speaker.")],
    out: Annotated[Path, typer.Option(help="Embeddings: .safetensors, .npz, .h5, .ark or .scp.")],
    model: Model = DEFAULT,
    trials: Annotated[Path | None, typer.Option(help="Embed only what these trials name.")] = None,
    where: Where = None,
    crops: Annotated[int | None, typer.Option(min=1, help="Average so many drawn crops of each utterance.")] = None,
    average: Annotated[
        Average | None, typer.Option(help="What is averaged; of crops pooled, of chunks embedding, if not given.")
    ] = None,
    crop_seconds: Annotated[float, typer.Option(help="The length of a crop.")] = 3.015,
    plain_crops: Annotated[
        bool, typer.Option("--plain-crops", help="Crops within the utterance, none of them backwards.")
    ] = False,
    crop_seed: Annotated[int, typer.Option(help="Another seed draws other crops.")] = 0,
    chunks: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Average the embeddings of chunks side by side.")
    ] = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Embed every utterance of a manifest; a second call goes on where a broken one ended.

    With --crops N each is heard in N pieces, drawn of it appended to itself and half of them backwards; of 50 pieces of
    3.015 s, averaged before the last layer, are unified hypersphere's embeddings. With --chunks 3.015 it is cut into
    pieces of that length, the last one aligned to its end, whose embeddings are averaged.
    """
    from voxsphere.core.manifest import Manifest
    from voxsphere.core.trials import Trials
    from voxsphere.data.manifests import open_manifest
    from voxsphere.data.where import where as met

    if crops is None:
        refuse_given(
            context, ("crop_seconds", "plain_crops", "crop_seed"), "is of drawn crops; say how many by --crops"
        )
        if chunks is None:
            refuse_given(context, ("average",), "is of an utterance's pieces; say which, by --crops or --chunks")
    wanted = met(open_manifest(manifest), where or [])
    if trials is not None:
        named = set(Trials.load(trials).ids)
        wanted = Manifest(tuple(utterance for utterance in wanted if utterance.id in named))
        if missing := sorted(named - set(wanted.ids)):
            raise BadInput(f"{trials}: {len(missing)} recordings are not in {manifest}, the first is {missing[0]}")
    hearing = _hearing(crops, chunks, average, crop_seconds, plain=plain_crops, seed=crop_seed)
    _extract(wanted, model, out, hearing=hearing, as_json=as_json, workers=workers)


VERBS: tuple[Callable[..., None], ...] = (embed, extract)


def _hearing(
    crops: int | None, chunks: float | None, average: Average | None, seconds: float, *, plain: bool, seed: int
) -> Any:
    """How an utterance is heard, None for whole."""
    if crops is None and chunks is None:
        return None
    from voxsphere.extract.crops import ByPieces, DrawnCrops, FixedChunks

    if crops is not None and chunks is not None:
        raise BadInput("--crops and --chunks are two ways to cut an utterance; choose one")
    if chunks is not None:
        return ByPieces(FixedChunks(seconds=chunks), average=(average or Average.EMBEDDING).value)
    assert crops is not None
    return ByPieces(
        DrawnCrops(count=crops, seconds=seconds, plain=plain, seed=seed), average=(average or Average.POOLED).value
    )


def _extract(
    manifest: Any,
    model: str,
    out: Path,
    *,
    hearing: Any = None,
    as_json: bool,
    workers: int | None = None,
    audio: bool = False,
) -> None:
    from voxsphere.cli import show
    from voxsphere.data.folders import is_audio
    from voxsphere.extract.corpus import extract
    from voxsphere.extract.voice import refuse_stored
    from voxsphere.pretrained import load

    pretrained = load(model)
    if audio:
        refuse_stored(pretrained)
    elif pretrained.model.width is not None and len(manifest) and all(is_audio(each.path) for each in manifest):
        raise BadInput(
            f"{model}: this model takes stored features, not recordings; give feats.scp, or see "
            "`voxsphere models over-waves`"
        )
    with show.progress("embedding", total=len(manifest)) as progress:
        done = extract(pretrained, manifest, out, hearing=hearing, workers=workers, progress=progress)
    if as_json:
        failures = [{"id": name, "reason": reason} for name, reason in done.failures]
        print_json({"out": str(out), "embeddings": done.embeddings, "resumed": done.resumed, "failures": failures})
    else:
        show.extraction(done, out)
    if done.failures:
        raise typer.Exit(2)
