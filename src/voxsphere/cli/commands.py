"""The verbs. Each reads nouns, calls one function of the house, and shows or saves a noun.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from voxsphere.cli import corpus, extraction, features, finetuning, identifying, models, training
from voxsphere.cli.options import DEFAULT, Json, Model
from voxsphere.core.errors import BadInput

app = typer.Typer(
    name="voxsphere",
    help="Who is speaking? Two recordings in, one trustworthy answer out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

bench_app = typer.Typer(no_args_is_help=True, help="Measure speed on this machine.")
app.add_typer(bench_app, name="bench")
app.add_typer(models.app, name="models")
app.add_typer(features.app, name="features")

for verb in (*corpus.VERBS, *extraction.VERBS, *training.VERBS, *identifying.VERBS, finetuning.finetune):
    app.command()(verb)


def _version(asked: bool) -> None:
    if asked:
        from voxsphere import __version__

        typer.echo(f"voxsphere {__version__}")
        raise typer.Exit


@app.callback()
def voxsphere(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Who is speaking? Two recordings in, one trustworthy answer out."""


@app.command()
def verify(
    a: Annotated[Path, typer.Argument(metavar="A", help="The first recording.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The second recording.")],
    model: Model = DEFAULT,
    prior: Annotated[float, typer.Option(help="Probability of 'same speaker' before listening.")] = 0.5,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 unless it is the same speaker.")] = False,
    as_json: Json = False,
) -> None:
    """Decide whether two recordings are of the same speaker."""
    from voxsphere.cli import show
    from voxsphere.verify import load

    verdict = load(model).verify(a, b, prior=prior)
    _print(verdict.to_json()) if as_json else show.verdict(verdict)
    if check and verdict.decision != "same speaker":
        raise typer.Exit(1)


@app.command()
def score(
    trials: Annotated[Path, typer.Argument(help="Lines of `1 a b` or of `a b target`.")],
    embeddings: Annotated[Path, typer.Argument(help="What `extract` wrote.")],
    out: Annotated[Path, typer.Option(help="Scores: text, or .parquet.")],
    calibrate: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Write LLRs, by the calibration stored with this model.")
    ] = None,
) -> None:
    """Score trials: cosine, or calibrated log-likelihood ratios."""
    from voxsphere.core.embeddings import Embeddings
    from voxsphere.core.trials import Trials
    from voxsphere.evaluate.scoring import calibrated, score

    stored = Embeddings.load(embeddings)
    scores = score(Trials.load(trials), stored)
    if calibrate is not None:
        from voxsphere.pretrained import load

        pretrained = load(calibrate)
        if pretrained.fingerprint != stored.model:
            raise BadInput(f"{embeddings}: was made by model {stored.model}, {calibrate} is {pretrained.fingerprint}")
        if pretrained.card.calibration is None:
            raise BadInput(f"{calibrate}: has no calibration; leave --calibrate out to get cosine scores")
        scores = calibrated(scores, stored, pretrained.card.calibration)
        _warn_of_little_speech(scores, stored, pretrained.card.min_speech_seconds)
    scores.save(out)


@app.command()
def evaluate(
    scores: Annotated[Path, typer.Argument(help="What `score` wrote, or lines of `enrol test score label`.")],
    report: Annotated[Path | None, typer.Option(help="Also write one self-contained HTML page.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="Names the speakers for the intervals; else they are read off the list.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Error rates and costs of a score file, each with a 95 % interval."""
    from voxsphere.cli import show
    from voxsphere.core.scores import Scores
    from voxsphere.data.manifests import open_manifest
    from voxsphere.evaluate.report import report as write_report
    from voxsphere.evaluate.results import evaluate

    scored = Scores.load(scores)
    results = evaluate(scored, speaker_of=open_manifest(manifest).speaker_of() if manifest else None)
    if report is not None:
        write_report(scored, results, report)
    _print(results.to_json()) if as_json else show.results(results)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("demo.html"),
    model: Model = DEFAULT,
    train: Annotated[bool, typer.Option("--train", help="Learn synthetic voices instead, from nothing.")] = False,
) -> None:
    """Decide, turn by turn, who is speaking in a real conversation of two; writes a page to look at and listen to.

    With --train: make synthetic voices, train a small network on some, and tell others apart that it never heard.
    """
    from voxsphere.cli import show

    if train:
        from voxsphere.demo.learning import learn

        with show.training("synthetic voices", quiet=False) as (watch, told):
            lesson = learn(out, watch=watch, told=told)
        if lesson is None:
            typer.echo("voxsphere: stopped and saved; run it again to go on", err=True)
            raise typer.Exit(training.STOPPED)
        show.lesson(lesson)
        return
    from voxsphere.demo.conversation import compare_turns
    from voxsphere.demo.page import write_page

    with show.progress("comparing turns") as progress:
        comparison = compare_turns(model, progress=progress)
    write_page(comparison, out)
    show.comparison(comparison, out)


@app.command()
def doctor(
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if something needed is missing.")] = False,
    as_json: Json = False,
) -> None:
    """What this machine has: Python, torch, decoders, models, and what is missing."""
    from voxsphere.cli import show
    from voxsphere.cli.doctor import examine

    findings = examine()
    _print({"findings": [finding.to_json() for finding in findings]}) if as_json else show.findings(findings)
    if check and any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)


@bench_app.command("embed")
def bench_embed(
    model: Model = DEFAULT,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of the wave.")] = 5.0,
    repeats: Annotated[int, typer.Option(min=3, help="Paired repeats.")] = 15,
    as_json: Json = False,
) -> None:
    """Embedding speed on one thread, beside kaldi-native-fbank and the plain network in the same run."""
    from voxsphere.bench.embedding import embedding_speed
    from voxsphere.cli import show

    with show.progress("paired runs") as progress:
        speed = embedding_speed(model, seconds=seconds, repeats=repeats, progress=progress)
    _print(speed.to_json()) if as_json else show.speed(speed)


@bench_app.command("loader")
def bench_loader(
    recipe: Annotated[str, typer.Argument(help="As for `train`.")],
    data: Annotated[Path | None, typer.Option(help="Learn from this manifest instead of the recipe's own.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change an option of the recipe.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make batches.")] = 1,
    batches: Annotated[int, typer.Option(min=3, help="Batches to time each way.")] = 20,
    as_json: Json = False,
) -> None:
    """Does training wait for the loader or for the device? Utterances a second of each alone, and of both together."""
    from voxsphere.bench.loading import batches_to_time, loading_speed
    from voxsphere.cli import show
    from voxsphere.recipes import find
    from voxsphere.train.stages import Stages

    found, _ = find(recipe, data=data)
    whole = found.with_options(*(settings or []))
    chosen = whole.recipes[0] if isinstance(whole, Stages) else whole  # the longest stage is the first
    with show.progress("timing", total=batches_to_time(workers, batches)) as progress:
        speed = loading_speed(chosen, workers=workers, batches=batches, progress=progress)
    _print(speed.to_json()) if as_json else show.loading(speed)


def _warn_of_little_speech(scores: Any, embeddings: Any, least: float) -> None:
    import numpy as np

    seconds = embeddings.seconds[embeddings.rows(scores.trials.ids)]
    shorter = np.minimum(seconds[scores.trials.enrol], seconds[scores.trials.test])
    if few := int((shorter < least).sum()):
        told = f"{few} of {len(scores)} trials have less than {least:g} s of speech; their LLRs are extrapolated"
        typer.echo(f"voxsphere: {told}", err=True)


def _print(content: dict[str, Any]) -> None:
    print(json.dumps(content, allow_nan=False))
