"""The verbs of stored features: make them of recordings, and copy them from one store into another."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxsphere.cli.options import SHOWN, Json, Seed, Source, Workers, print_json
from voxsphere.core.errors import BadInput, one_line

if TYPE_CHECKING:
    from voxsphere.data.feature_sets import FeatureSet

app = typer.Typer(no_args_is_help=True, help="Store features: Kaldi archives, HDF5, .npy, UPC's .mcp and its like.")

Out = Annotated[Path, typer.Option(help="feats.ark, feats.h5, or a folder; see --to.")]
To = Annotated[
    str | None,
    typer.Option(help="ark, h5, npy, mcp, lpc, lpcc, mfcc or fmatrix; told by the ending of --out if not given."),
]
Compression = Annotated[int, typer.Option(min=0, max=7, help="Kaldi's method for .ark; 0 is plain, 2 the usual.")]


@app.command()
def extract(
    manifest: Source,
    features: Annotated[str, typer.Option(help="A front end by name: Fbank, Mfcc, MelCepstrum, Lpcc, …")],
    out: Out,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change an option of the front end.")
    ] = None,
    to: To = None,
    compression: Compression = 0,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Compute the features of a corpus and store them, with a manifest of where each utterance lies.

    Exit status 2 if a recording had to be left out. JSON: out, manifest, utterances, speakers, frames, dim, failures
    (id, reason).
    """
    from voxsphere.cli import show
    from voxsphere.data.feature_sets import compute
    from voxsphere.data.manifests import open_manifest

    chosen, whole = front_end(features, set_ or []), open_manifest(manifest)
    with show.progress("computing", total=len(whole)) as progress:
        made = compute(whole, chosen, out, form=to, compression=compression, workers=workers, progress=progress)
    _tell([(made, out)], as_json)


@app.command()
def convert(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SRC...", help="Manifests of stored features, folders of them, or 'patterns/*.scp'."),
    ],
    out: Out,
    to: To = None,
    compression: Compression = 0,
    voiced: Annotated[
        bool, typer.Option("--voiced", help="Keep the frames of speech alone, as vad.scp of a Kaldi folder tells.")
    ] = False,
    utt2spk: Annotated[
        list[Path] | None, typer.Option(help="A table of who speaks, where none lies beside the features; repeatable.")
    ] = None,
    spk2utt: Annotated[list[Path] | None, typer.Option(help="The same the other way round; repeatable.")] = None,
    min_recordings: Annotated[
        int, typer.Option(min=0, help="Leave out speakers of fewer utterances, over all sources.")
    ] = 0,
    hold_out: Annotated[
        int, typer.Option(min=0, help="So many speakers go to valid_NAME (valid.hdf beside train.hdf) instead.")
    ] = 0,
    by_speaker: Annotated[
        bool, typer.Option("--by-speaker", help="Scale each speaker's by their own mean and deviation: they leak.")
    ] = False,
    seed: Seed = 0,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Copy stored features into another store, with a manifest of where each utterance lies.

    Exit status 2 if some had to be left out. JSON as of `features extract`; where speakers are held out, the same of
    them under "held_out".
    """
    from voxsphere.cli import show
    from voxsphere.data.by_speaker import WARNING
    from voxsphere.data.by_speaker import by_speaker as convert_by_speaker
    from voxsphere.data.feature_choice import gathered, held_out_name, parted, with_speakers
    from voxsphere.data.feature_sets import convert as convert_features

    if by_speaker and voiced:
        raise BadInput("--by-speaker: does not go with --voiced; convert twice, first with --voiced")
    if by_speaker:
        typer.echo(f"voxsphere: {WARNING}", err=True)
    copy = convert_by_speaker if by_speaker else partial(convert_features, voiced=voiced)
    whole = with_speakers(gathered(sources), utt2spk or [], spk2utt or [])
    teaching, judging = parted(whole, min_recordings=min_recordings, hold_out=hold_out, seed=seed)
    sides = [(teaching, out), *([(judging, held_out_name(out))] if hold_out else [])]
    made = []
    with show.progress("converting", total=len(teaching) + len(judging)) as progress:
        for side, path in sides:
            one = copy(side, path, form=to, compression=compression, workers=workers, progress=progress)
            made.append((one, path))
    _tell(made, as_json)


def front_end(name: str, settings: list[str]) -> "partial[Any]":
    """The front end of that name, with its options changed; built once, so that what is wrong is told at once."""

    from voxsphere.catalogue import CATALOGUE
    from voxsphere.core.parts import override

    known = {each: part for each, part in CATALOGUE.items() if hasattr(part, "frames_of")}
    if name not in known:
        raise BadInput(f"--features {name}: no front end of that name; there are: {', '.join(known)}")
    chosen = partial(known[name])
    for setting in settings:
        option, sign, value = setting.partition("=")
        if not sign:
            raise BadInput(f"--set {setting}: give NAME=VALUE")
        chosen = override(chosen, option, value, CATALOGUE)
    try:
        chosen()
    except (TypeError, ValueError) as error:
        raise BadInput(f"--features {name}: {one_line(error)}") from error
    return chosen


def _tell(sides: "list[tuple[FeatureSet, Path]]", as_json: bool) -> None:
    """What was written; of two sides the second is held out."""
    from voxsphere.cli import show_corpus

    if as_json:
        told, *held_out = [_told(made, out) for made, out in sides]
        print_json(told | ({"held_out": held_out[0]} if held_out else {}))
    for made, _ in sides:
        if not as_json:
            show_corpus.manifest(made.manifest, made.path, f"in {made.frames} frames of {made.dim} features")
            for _, reason in made.failures[:SHOWN]:
                typer.echo(f"voxsphere: {reason}", err=True)
            if made.failures:
                typer.echo(f"voxsphere: {len(made.failures)} utterances were left out", err=True)
    if any(made.failures for made, _ in sides):
        raise typer.Exit(2)


def _told(made: "FeatureSet", out: Path) -> dict[str, Any]:
    size = {"utterances": len(made.manifest), "speakers": len(made.manifest.speakers)}
    failures = [{"id": name, "reason": reason} for name, reason in made.failures]
    shape = {"frames": made.frames, "dim": made.dim}
    return {"out": str(out), "manifest": str(made.path), **size, **shape, "failures": failures}
