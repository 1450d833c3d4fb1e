"""What the terminal shows: verdicts, results, cards, progress; results on stdout, progress on stderr."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from voxsphere.evaluate.page import interval, percent
from voxsphere.evaluate.results import Results

if TYPE_CHECKING:
    from voxsphere.cli.doctor import Finding
    from voxsphere.demo.conversation import Comparison
    from voxsphere.demo.learning import Lesson
    from voxsphere.evaluate.identification import Decisions, Identified
    from voxsphere.extract.corpus import Extraction
    from voxsphere.train.finish import Finished
    from voxsphere.train.run import Glance, Outcome
    from voxsphere.train.verdict import Verdict as TransferVerdict
    from voxsphere.verify import Verdict

out = Console(highlight=False, soft_wrap=True)
COLOURS = {"same speaker": "green", "different speakers": "red"}


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; gives a function that counts steps done. Silent where stderr is no terminal."""
    errors = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.update(task, advance=steps)


def verdict(answer: "Verdict") -> None:
    """A verdict in a few lines."""
    out.print(f"[bold {COLOURS.get(answer.decision, 'yellow')}]{answer.decision}[/]")
    if answer.llr is not None and answer.probability is not None:
        out.print(
            f"  log-likelihood ratio {answer.llr:+.1f} (threshold {answer.threshold:+.1f}), "
            f"probability of the same speaker {percent(answer.probability)} at a prior of {percent(answer.prior)}"
        )
    if answer.score is not None:
        out.print(f"  cosine score {answer.score:.3f}")
    out.print(f"  speech {answer.speech_seconds[0]:.1f} s and {answer.speech_seconds[1]:.1f} s")
    if (expected := answer.expected) is not None:
        out.print(
            f"  to expect of such decisions with {expected.condition} of speech like the calibration's: "
            f"misses {interval(expected.miss, expected.miss_interval)}, "
            f"false alarms {interval(expected.false_alarm, expected.false_alarm_interval)}"
        )
    elif answer.llr is not None:
        out.print("  the error rates to expect were not measured at this threshold with so little or so much speech")
    for warning in answer.warnings:
        out.print(f"  [yellow]warning:[/] {warning}")
    out.print(f"  model {escape(answer.model)}", style="dim")


def results(found: "Results") -> None:
    """Error rates, each with its interval."""
    out.print(
        f"{found.trials:,} trials: {found.targets:,} target, {found.nontargets:,} non-target; "
        f"{found.speakers:,} speakers ({found.speakers_from})"
    )
    table = Table("", "value", "95 % interval", box=None, pad_edge=False)
    for figure in found.figures:
        between = "not available" if figure.interval is None else figure.worded(*figure.interval)
        table.add_row(figure.name, figure.worded(figure.value), between)
    out.print(table)
    out.print(found.note, style="dim")


def lists(found: Mapping[str, "Results"]) -> None:
    """One line a score list."""
    from voxsphere.evaluate.lists import HEADER, note, row

    table = Table(box=None, pad_edge=False)
    for column in HEADER:
        first = column == HEADER[0]
        table.add_column(column, justify="left" if first else "right", no_wrap=not first, overflow="fold")
    for name, results in found.items():
        table.add_row(*(escape(cell) for cell in row(name, results)))
    out.print(table)
    out.print(note(found), style="dim")


def extraction(done: "Extraction", path: Path) -> None:
    """What an extraction did."""
    speed = f", {done.audio_seconds / done.seconds:.0f} times real time" if done.audio_seconds else ""
    kept = f" ({done.resumed} were there already)" if done.resumed else ""
    if done.embeddings:
        out.print(f"{done.embeddings} embeddings{kept} in {escape(str(path))}, {done.seconds:.1f} s{speed}")
    else:
        out.print(f"nothing could be embedded; {escape(str(path))} was not written")
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for _, reason in done.failures[:10]:
        errors.print(f"voxsphere: {reason}", markup=False)
    if done.failures:
        listed = f"{escape(str(path))}.failed.tsv"
        errors.print(f"voxsphere: {len(done.failures)} recordings were left out; all are listed in {listed}")


def comparison(compared: "Comparison", page: Path) -> None:
    """The demo's turns, pairs and sum."""
    turns = Table("turn", "seconds", "speaker", *(f"{n + 1}" for n in range(len(compared.turns))), box=None)
    for row, turn in enumerate(compared.turns):
        cells = [_cell(compared, row, column) for column in range(len(compared.turns))]
        span = f"{turn.start:5.1f} to {turn.start + turn.duration:4.1f}"
        turns.add_row(f"{row + 1}", span, turn.speaker, *cells)
    out.print("Log-likelihood ratios of every pair of turns (above the threshold: same speaker):")
    Console(highlight=False).print(turns)
    out.print(f"{compared.right} of {compared.decided} pairs decided as the transcript has them", style="bold")
    if compared.undecided:
        out.print(f"{compared.undecided} pairs have too little speech to decide")
    out.print(f"model {escape(compared.model)}", style="dim")
    out.print(f"page {escape(str(page))}")


def _cell(compared: "Comparison", row: int, column: int) -> str:
    pair = compared.pair(row, column)
    if pair is None:
        return "·"
    if pair.verdict.llr is None:
        return "?"
    colour = COLOURS[pair.verdict.decision]
    return f"[{colour}]{pair.verdict.llr:+.1f}{'' if pair.right else ' !'}[/]"


def findings(found: Sequence["Finding"]) -> None:
    """What the doctor found."""
    marks = {"ok": "[green]ok[/]", "optional": "[yellow]--[/]", "missing": "[red]missing[/]"}
    table = Table.grid(padding=(0, 2))
    for finding in found:
        table.add_row(marks[finding.state], finding.name, finding.text)
    Console(highlight=False).print(table)


@contextmanager
def training(name: str, *, quiet: bool) -> Iterator[tuple[Callable[["Glance"], None], Callable[[str], None]]]:
    """A training run as it goes: a bar on a terminal, else a line a minute; gives `watch` and `told`."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(),
    )
    shown = 0.0

    def told(line: str) -> None:
        if not quiet:
            errors.print(f"voxsphere: {line}", markup=False)

    with Progress(*columns, console=errors, disable=quiet or not errors.is_terminal) as bar:
        task = bar.add_task(name, total=None, epoch=1, told="")

        def watch(glance: "Glance") -> None:
            nonlocal shown
            line = glance_line(glance)
            bar.update(task, total=glance.steps, completed=glance.step, epoch=glance.epoch, told=line)
            if not quiet and not errors.is_terminal and (time.monotonic() - shown > 60 or glance.step == glance.steps):
                shown = time.monotonic()
                left = f"{glance.seconds_left / 60:.0f} min left"
                errors.print(f"step {glance.step}/{glance.steps}, epoch {glance.epoch}: {line}, {left}", markup=False)

        yield watch, told


def glance_line(glance: "Glance") -> str:
    """A run's present state in one line."""
    parts = [f"{name} {value:.3f}" for name, value in glance.losses.items()]
    parts.append(f"lr {glance.learning_rate:.2g}")
    parts += [f"margin {glance.margin:.2f}"] if glance.margin is not None else []
    judged = (("EER", "eer"), ("mistaken", "identification_error"))
    parts += [f"{label} {100 * glance.figures[name]:.1f} %" for label, name in judged if name in glance.figures]
    parts.append(f"{glance.utterances_per_second:.0f} examples/s")
    parts += [f"{glance.waiting:.0%} waiting for data"] if glance.waiting > 0.1 else []
    return ", ".join(parts)


def trained(outcome: "Outcome", finished: "Finished") -> None:
    """What a finished run has made, and how to use it."""
    out.print(f"[bold]trained[/] {outcome.steps} steps; {len(outcome.broken)} files could not be read")
    found, manifest = finished.results, "FEATURES" if finished.stored else "MANIFEST"
    if isinstance(found, Results):
        out.print(f"  EER {interval(found.eer.value, found.eer.interval)} on {found.speakers} speakers held out")
    else:
        right = interval(found.top1.value, found.top1.interval)
        out.print(f"  right speaker {right} of {found.utterances} other utterances of {found.speakers} learnt speakers")
    if finished.card.calibration is None and isinstance(found, Results):
        out.print("  no calibration: too few held-out speakers; the model gives scores, but no decisions")
    out.print(f"  model  {finished.model}", markup=False)
    out.print(f"  report {finished.page}", markup=False)
    if finished.own:
        own = ", ".join(f'"{name}": {name}' for name in finished.own)
        out.print(f"  in Python: open_folder(folder, extra={{{own}}}), as its parts are your own", markup=False)
        return
    if not isinstance(found, Results):
        out.print(f"  voxsphere identify {manifest} --run {outcome.folder}", markup=False)
    if finished.stored:
        out.print(f"  voxsphere extract {manifest} --model {finished.model} --out EMBEDDINGS", markup=False)
    else:
        out.print(f"  voxsphere verify A B --model {finished.model}", markup=False)


def identified(decided: "Decisions", found: "Identified | None", path: Path | None) -> None:
    """Who speaks, where that was asked for nobody but the terminal, and how often it is right, where that is known."""
    if path is None and found is None:
        for name, speaker, lead in zip(decided.ids, decided.said, decided.lead, strict=True):
            out.print(f"{name}\t{speaker}\t{lead:.1f}", markup=False)
    if path is not None:
        out.print(f"{len(decided)} decisions in {escape(str(path))}")
    if found is None:
        return
    for label, figure in (("right speaker", found.top1), ("among the five likeliest", found.top5)):
        out.print(f"  {label} {interval(figure.value, figure.interval)}")
    out.print(f"  mistaken {100 * found.error:.1f} %")
    for true, said, count in found.confused[:5]:
        out.print(f"  {true} taken for {said}: {count}×", markup=False)
    out.print(found.note, style="dim")


def verdict_on(said: "TransferVerdict") -> None:
    """Whether a fine-tuned model is better than the one it was begun from, and what to do if it is not."""
    colour = {"better": "green", "worse": "red"}.get(said.answer, "yellow")
    out.print(f"[bold {colour}]{escape(said.words)}[/]")
    for name, found in (("fine-tuned", said.results), (said.name, said.other)):
        out.print(f"  EER {interval(found.eer.value, said.interval_of(found))}  {escape(name)}")
    out.print(f"  {escape(said.basis)}", style="dim")
    if said.advice:
        out.print(f"  {escape(said.advice)}")


def lesson(learnt: "Lesson") -> None:
    """What a demonstration of training has shown."""
    eer, plain = learnt.results.eer, learnt.untrained
    out.print(f"[bold]learnt[/] {escape(learnt.finished.card.training_data)}")
    out.print(f"  EER {interval(eer.value, eer.interval)} on {learnt.results.speakers} voices it never heard")
    out.print(
        f"  the same network untrained: {percent(plain.other_eer)}; trained is {plain.verdict} by "
        f"{interval(plain.difference, plain.interval)}"
    )
    out.print(f"  model {learnt.finished.model}, training {learnt.finished.page}", markup=False)
    out.print(f"  page {learnt.page}", markup=False)


def recipes(known: Mapping[str, str]) -> None:
    """The known recipes and what is told of each, a line each."""
    for name, first in known.items():
        out.print(f"[bold]{name}[/]  {escape(first)}")
    out.print("`voxsphere recipes NAME` shows everything a recipe says; `train FOLDER` needs none.", style="dim")
