"""The verbs. Each reads nouns, calls one function of the house, and shows or saves a noun.

Imports stand inside the functions, so that `--help` does not wait for torch.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from voxsphere.cli import bench, corpus, extraction, features, finetuning, identifying, models, training
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

app.add_typer(bench.app, name="bench")
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
    enrolment: Annotated[
        Path | None,
        typer.Option(
            metavar="SPK2UTT",
            help="Lines of `speaker utterance …`; a trial's first is a speaker then, the mean of his embeddings.",
        ),
    ] = None,
) -> None:
    """Score trials: cosine, or calibrated log-likelihood ratios."""
    from voxsphere.core.embeddings import Embeddings
    from voxsphere.core.trials import Trials
    from voxsphere.data.kaldi import read_spk2utt
    from voxsphere.evaluate.enrolment import score_speakers
    from voxsphere.evaluate.scoring import calibrated, score

    if enrolment is not None and calibrate is not None:
        raise BadInput("--enrolment: a calibration is made for pairs of recordings; leave --calibrate out")
    stored, pairs = Embeddings.load(embeddings), Trials.load(trials)
    scores = score(pairs, stored) if enrolment is None else score_speakers(pairs, stored, read_spk2utt(enrolment))
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
    scores: Annotated[
        list[Path],
        typer.Argument(metavar="SCORES...", help="What `score` wrote, or lines of `enrol test score label`."),
    ],
    report: Annotated[Path | None, typer.Option(help="Also write one self-contained HTML page.")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Names the speakers of utterances, and those who enrolled; else they are read off the list."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else; of several files, a list of them.")
    ] = False,
) -> None:
    """Error rates and costs of a score file, each with a 95 % interval; of several files, one table."""
    from voxsphere.cli import show
    from voxsphere.core.scores import Scores
    from voxsphere.data.manifests import open_manifest
    from voxsphere.evaluate import lists
    from voxsphere.evaluate.report import report as write_report
    from voxsphere.evaluate.results import evaluate
    from voxsphere.evaluate.speakers import labels_of

    names = lists.names_of(scores)
    speaker_of = labels_of(open_manifest(manifest)) if manifest else None
    scored, found = {}, {}
    for name, file in zip(names, scores, strict=True):
        scored[name] = Scores.load(file)
        try:
            found[name] = evaluate(scored[name], speaker_of=speaker_of)
        except BadInput as error:
            raise BadInput(f"{file}: {error}") from error
    if len(scores) == 1:
        results = found[names[0]]
        if report is not None:
            write_report(scored[names[0]], results, report)
        _print(results.to_json()) if as_json else show.results(results)
        return
    if report is not None:
        lists.report(scored, found, report)
    if as_json:
        told = [{"scores": str(file), **found[name].to_json()} for name, file in zip(names, scores, strict=True)]
        print(json.dumps(told, allow_nan=False))
    else:
        show.lists(found)


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


def _warn_of_little_speech(scores: Any, embeddings: Any, least: float) -> None:
    import numpy as np

    seconds = embeddings.seconds[embeddings.rows(scores.trials.ids)]
    shorter = np.minimum(seconds[scores.trials.enrol], seconds[scores.trials.test])
    if few := int((shorter < least).sum()):
        told = f"{few} of {len(scores)} trials have less than {least:g} s of speech; their LLRs are extrapolated"
        typer.echo(f"voxsphere: {told}", err=True)


def _print(content: dict[str, Any]) -> None:
    print(json.dumps(content, allow_nan=False))
