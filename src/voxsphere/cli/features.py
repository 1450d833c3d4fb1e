"""The verbs of stored features: make them of recordings, and copy them from one store into another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxsphere.cli.options import SHOWN, Json, Source, Workers, print_json
from voxsphere.core.errors import BadInput, one_line

if TYPE_CHECKING:
    from functools import partial

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
    _tell(made, out, as_json)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A manifest of stored features, or a folder of them.")],
    out: Out,
    to: To = None,
    compression: Compression = 0,
    by_speaker: Annotated[
        bool, typer.Option("--by-speaker", help="Scale each speaker's by their own mean and deviation: they leak.")
    ] = False,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Copy stored features into another store, with a manifest of where each utterance lies.

    Exit status 2 if some had to be left out. JSON as of `features extract`.
    """
    from voxsphere.cli import show
    from voxsphere.data.by_speaker import WARNING
    from voxsphere.data.by_speaker import by_speaker as convert_by_speaker
    from voxsphere.data.feature_folder import open_features
    from voxsphere.data.feature_sets import convert as convert_features

    whole = open_features(source)
    if by_speaker:
        typer.echo(f"voxsphere: {WARNING}", err=True)
    copy = convert_by_speaker if by_speaker else convert_features
    with show.progress("converting", total=len(whole)) as progress:
        made = copy(whole, out, form=to, compression=compression, workers=workers, progress=progress)
    _tell(made, out, as_json)


def front_end(name: str, settings: list[str]) -> "partial[Any]":
    """The front end of that name, with its options changed; built once, so that what is wrong is told at once."""
    from functools import partial

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


def _tell(made: "FeatureSet", out: Path, as_json: bool) -> None:
    from voxsphere.cli import show_corpus

    if as_json:
        size = {"utterances": len(made.manifest), "speakers": len(made.manifest.speakers)}
        failures = [{"id": name, "reason": reason} for name, reason in made.failures]
        shape = {"frames": made.frames, "dim": made.dim}
        print_json({"out": str(out), "manifest": str(made.path), **size, **shape, "failures": failures})
    else:
        show_corpus.manifest(made.manifest, made.path, f"in {made.frames} frames of {made.dim} features")
        for _, reason in made.failures[:SHOWN]:
            typer.echo(f"voxsphere: {reason}", err=True)
        if made.failures:
            typer.echo(f"voxsphere: {len(made.failures)} utterances were left out", err=True)
    if made.failures:
        raise typer.Exit(2)
