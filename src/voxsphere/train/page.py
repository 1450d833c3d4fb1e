"""The page of a training run: what was learnt and how well, the curves, the whole recipe, how to use the model."""

import shlex
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from voxsphere.core.files import atomic
from voxsphere.core.scores import Scores
from voxsphere.evaluate.identification import Identified
from voxsphere.evaluate.page import Html, escape, interval, page, paragraph, percent, section, table
from voxsphere.evaluate.results import Results
from voxsphere.pretrained.card import Card
from voxsphere.train import curves
from voxsphere.train.detecting import detection, ends_of, meaning, unheard
from voxsphere.train.learning import learning
from voxsphere.train.naming import measured, naming
from voxsphere.train.options import Option, options_of
from voxsphere.train.trace import Trace
from voxsphere.train.verdict import Verdict, verdict_section

STYLE = (
    curves.STYLE
    + """
.stamp { border-left: 4px solid var(--bad); padding: .5rem .9rem; background: var(--panel); }
pre { background: var(--panel); padding: .6rem .8rem; overflow-x: auto; font-size: .87rem; user-select: all;
  margin: .4rem 0 .8rem; }
.options { columns: 22rem; column-gap: 2.2rem; }
.options .scroll { break-inside: avoid; margin-bottom: 1.6rem; }
.options td { font-size: .87rem; padding-top: .22rem; padding-bottom: .22rem; overflow-wrap: anywhere; }
.options td:last-child { text-align: right; }
.default { color: var(--soft); opacity: .75; }
.set { font-weight: 600; }
"""
)
SHOWN = 20
"""So many of the files that failed are listed."""


def write_page(
    folder: Path,
    out: Path,
    *,
    results: Results | Identified | None,
    scores: Scores | None,
    card: Card | None,
    verdict: Verdict | None = None,
) -> None:
    """Write the page of the run in `folder` to `out`, atomically: one file, no script, nothing fetched.

    `results` and `scores` are those on held-out speakers, `card` the finished model's; None where the run has none
    yet: the page then shows how far it has come. A `verdict` comes first. Raises `BadInput` where the folder lacks
    what a run writes.
    """
    trace = Trace.of(folder, finished=card is not None)
    sections = [
        *_stamp(trace),
        *([verdict_section(verdict)] if verdict else []),
        section("Learning", learning(trace), paragraph(_steps(trace), note=True)),
        *_results(trace, results, scores),
        *([section("The model", *_model(folder, card, closed=bool(trace.data.get("closed"))))] if card else []),
        *_broken(trace),
        section("The recipe", *_recipe(trace)),
        section("Where this comes from", _provenance(trace, results, card)),
    ]
    title = f"Training run: {trace.recipe['name']}"
    with atomic(out) as file:
        file.write(page(title, sections, lead=_lead(trace, results), style=STYLE))


def _results(trace: Trace, results: Results | Identified | None, scores: Scores | None) -> Iterator[Html]:
    if isinstance(results, Identified):
        yield section("Naming known speakers", *naming(results))
    elif results is not None:
        yield section("Telling unknown speakers apart", *detection(trace, results, scores))


def _lead(trace: Trace, results: Results | Identified | None) -> str:
    return " ".join([_learnt(trace), *_judged(trace, results), _failed(trace)])


def _learnt(trace: Trace) -> str:
    data, epochs = trace.data, trace.recipe["epochs"]
    told = {
        "whole": f"in {_count(epochs, 'epoch')} ({_count(trace.step, 'step')})",
        "early": f"in {trace.epoch:,} of {_count(epochs, 'epoch')} ({_count(trace.step, 'step')}), after which its "
        "figure no longer improved and it stopped by itself",
        "open": f"so far, up to step {trace.step:,} in epoch {trace.epoch:,} of {epochs:,}: the run is not finished",
    }[trace.end]
    return (
        f"The model learnt to tell {_count(data['speakers'], 'speaker')} apart from "
        f"{_count(data['utterances'], 'utterance')} {told}."
    )


def _judged(trace: Trace, results: Results | Identified | None) -> Iterator[str]:
    if isinstance(results, Identified):
        yield f"It {measured(results)}."
        return
    if trace.data.get("closed"):
        if trace.judged:
            wrong = percent(trace.judged["identification_error"][-1])
            yield f"At the last validation it took {wrong} of other recordings of these speakers for another's."
        return
    heard = "it never heard" if unheard(trace) else "this run never heard"
    others = f"{_count(trace.data['held_out_speakers'], 'speaker')} whom {heard}"
    if results is not None:
        ends = ends_of(results.eer, results)
        between = "" if ends is None else f" (95 % interval {100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
        yield f"On {others} its equal error rate is {percent(results.eer.value)}{between}: {meaning(results.eer)}."
    elif trace.judged:
        yield f"At the last validation its equal error rate on {others} was {percent(trace.judged['eer'][-1])}."


def _failed(trace: Trace) -> str:
    if trace.broken is None:
        return ""
    if not trace.broken:
        return "Every file could be read."
    return f"{_count(len(trace.broken), 'file')} could not be read; others of the same speakers stood in."


def _stamp(trace: Trace) -> Iterator[Html]:
    stamp = trace.data["stamp"]
    for told in (*([stamp] if stamp else []), *trace.notes):
        yield Html(f'<p class="stamp"><strong>Mind:</strong> {escape(told)}.</p>')


def _steps(trace: Trace) -> str:
    size = f"; an epoch is {_count(trace.steps_per_epoch, 'step')}" if trace.steps_per_epoch else ""
    epochs = trace.epochs
    mark = ""
    if epochs and epochs[0] == epochs[-1]:
        mark = f" The green line marks epoch {epochs[0]:,}, whose weights are the model's."
    elif epochs:
        mark = (
            f" Between the green lines lie epochs {epochs[0]:,} to {epochs[-1]:,}, whose mean is the model's weights."
        )
    thinned = curves.thinning(len(trace.learning.get("step", ())))
    drawn = f" Curves of what is logged while it learns are thinned: {thinned}." if thinned else ""
    return f"A step is one update of the weights{size}.{mark}{drawn}"


def _model(folder: Path, card: Card, *, closed: bool) -> Iterator[Html]:
    yield paragraph(f"{card.summary}. Front end: {card.front_end}.")
    yield paragraph("Decide whether two recordings are of one speaker:")
    path = str(folder.absolute() / "model")
    yield Html(f"<pre>voxsphere verify A.wav B.wav --model {escape(shlex.quote(path))}</pre>")
    yield paragraph("The same in Python:")
    yield Html(f'<pre>import voxsphere; print(voxsphere.load({escape(repr(path))}).verify("A.wav", "B.wav"))</pre>')
    if closed:
        yield paragraph("Of two recordings it gives a score, no probability: nobody was held out to calibrate it.")
        return
    if card.calibration is None or card.errors is None:
        yield paragraph(
            Html(
                "It gives scores, no probabilities: too few speakers were held out to calibrate it. "
                "Hold out more: <code>--set data.held_out=20</code>."
            )
        )
        return
    yield paragraph("It gives probabilities. How often its decisions fail where both answers are equally likely:")
    expected = [card.errors.at(0.0, each.least) for each in card.errors.bins]
    rows = [
        (e.condition, interval(e.miss, e.miss_interval), interval(e.false_alarm, e.false_alarm_interval), e.speakers)
        for e in expected
        if e is not None
    ]
    yield table(("speech in the shorter one", "misses", "false alarms", "speakers"), rows, numbers=(1, 2, 3))
    yield paragraph(f"95 % intervals in brackets; {card.errors.provenance}.", note=True)


def _broken(trace: Trace) -> Iterator[Html]:
    if trace.broken:
        rows = list(trace.broken.items())
        more = [paragraph(f"And {len(rows) - SHOWN:,} more.", note=True)] if len(rows) > SHOWN else []
        yield section(
            "Files that could not be read", table(("file", "why"), rows[:SHOWN], long=(0, 1)), *more,
            paragraph(Html("<code>voxsphere check</code> looks at every file of a manifest."), note=True),
        )  # fmt: skip


def _recipe(trace: Trace) -> Iterator[Html]:
    options = options_of(dict(trace.recipe))
    set_ = sum(not option.default for option in options)
    yield paragraph(
        Html(
            f"Everything that decides what is learnt: {len(options)} options, {set_} of them set by the recipe, the "
            "others at their defaults (grey). <code>--set NAME=VALUE</code> changes one."
        )
    )
    single = [option for option in options if option.name.split(".")[0] not in _parts(options)]
    tables = [_options(single)]
    tables += [
        _options(list(group))
        for part, group in groupby(options, lambda o: o.name.split(".")[0])
        if part in _parts(options)
    ]
    yield Html(f'<div class="options">{"".join(tables)}</div>')


def _parts(options: list[Option]) -> set[str]:
    """The names of the options that have options of their own."""
    return {option.name.split(".")[0] for option in options if "." in option.name}


def _options(options: list[Option]) -> Html:
    return table(("", ""), [(_told(o.name, o), _told(o.value, o)) for o in options])


def _told(text: str, option: Option) -> Html:
    # A long name may break after each of its dots.
    return Html(f'<span class="{"default" if option.default else "set"}">{escape(text).replace(".", ".<wbr>")}</span>')


def _provenance(trace: Trace, results: Results | Identified | None, card: Card | None) -> Html:
    data = trace.data
    rows = [
        ("learnt from", f"{data['utterances']:,} utterances of {data['speakers']:,} speakers"),
        ("judged by", f"{_held_out(trace)}, {_learnt_of_them(trace)}"),
        *([("begun from", f"{start['name']}, weights {start['fingerprint']}")] if (start := data.get("start")) else []),
        ("fingerprint of the data", str(data.get("fingerprint", "not stated"))),
        ("curves", "logbook.jsonl of the run's folder, to the last line"),
        ("recipe", "recipe.json of the run's folder"),
    ]
    if isinstance(results, Results):
        rows.append(("detection figures", f"{results.trials:,} trials, {results.scale} scores: held_out.scores.txt"))
    if card is not None:
        rows.append(("model", card.source))
    return table(("", ""), rows, long=(1,))


def _learnt_of_them(trace: Trace) -> str:
    return "other recordings of speakers it learnt" if trace.data.get("closed") else "none of whom it learnt from"


def _held_out(trace: Trace) -> str:
    told = [(trace.data.get("held_out_utterances"), "utterance"), (trace.data["held_out_speakers"], "speaker")]
    return " of ".join(_count(number, what) for number, what in told if number is not None)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
