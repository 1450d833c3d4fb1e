"""The demonstration as one page: the turns to listen to, the matrix of scores, every decision."""

import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path

from voxsphere.audio.wave import write
from voxsphere.core.files import atomic
from voxsphere.demo.conversation import Comparison, Pair, name_of
from voxsphere.evaluate.page import Html, escape, interval, page, paragraph, percent, section, table

STYLE = """
.matrix td, .matrix th { text-align: center; min-width: 3.6em; padding: .3rem; }
.matrix td.same { background: color-mix(in srgb, var(--good) 18%, transparent); color: inherit; }
.matrix td.different { background: color-mix(in srgb, var(--bad) 14%, transparent); color: inherit; }
.matrix td.wrong { outline: 2px solid var(--bad); outline-offset: -2px; }
.matrix small { display: block; opacity: .65; }
audio { height: 2rem; width: 15rem; max-width: 100%; vertical-align: middle; }
"""
LEAD = (
    "Two people talk for thirty seconds. The model hears each turn alone, never the transcript, and says of every two "
    "turns whether one person speaks in both."
)


def write_page(compared: Comparison, path: str | Path) -> None:
    """Write one self-contained HTML page about the comparison: no script, nothing fetched."""
    names = [f"{number + 1}{name_of(compared.turns, turn)}" for number, turn in enumerate(compared.turns)]
    sections = [
        section("The answer", *_answer(compared)),
        section("The turns", _turns(compared, names)),
        section("Every turn against every other", _matrix(compared, names), paragraph(_LEGEND, note=True)),
        section("The decisions", _decisions(compared, names)),
    ]
    with atomic(path) as file:
        file.write(page("Who is speaking?", sections, lead=LEAD, style=STYLE))


_LEGEND = (
    "The log-likelihood ratio (LLR), and below it the cosine score. Green: decided the same speaker; red: decided "
    "different speakers; framed: not as the transcript has it."
)


def _answer(compared: Comparison) -> Iterator[Html]:
    undecided = f" {compared.undecided} more had too little speech to decide." if compared.undecided else ""
    yield Html(
        f"<p><strong>{compared.right} of {compared.decided} pairs</strong> of turns were decided as the transcript has "
        f"them.{undecided}</p>"
    )
    yield paragraph(
        "A pair counts as the same speaker where the LLR is above 0, the threshold when both answers are equally "
        "likely beforehand. Short turns are hard: the last table says which errors to expect with so little speech."
    )
    yield paragraph(
        f"Model {compared.model}. The recording is the sample conversation published inside pyannote.audio 4.0.7 "
        f"(MIT), cut where one person speaks alone for at least a second.",
        note=True,
    )


def _turns(compared: Comparison, names: list[str]) -> Html:
    rows = []
    for name, turn, sound in zip(names, compared.turns, _data_uris(compared), strict=True):
        player = Html(f'<audio controls preload="none" src="{sound}"></audio>')
        rows.append([name, f"{turn.start:.1f} s", f"{turn.duration:.1f} s", turn.speaker, player])
    return table(["turn", "from", "length", "speaker in the transcript", "listen"], rows, numbers=(1, 2))


def _matrix(compared: Comparison, names: list[str]) -> Html:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = ""
    for row, name in enumerate(names):
        cells = "".join(_cell(compared.pair(row, column)) for column in range(len(names)))
        body += f"<tr><th>{escape(name)}</th>{cells}</tr>"
    return Html(f'<div class="scroll"><table class="matrix"><tr><th></th>{head}</tr>{body}</table></div>')


def _cell(pair: Pair | None) -> str:
    if pair is None:
        return "<td>·</td>"
    if pair.verdict.llr is None or pair.verdict.score is None:
        return f"<td>{escape(pair.verdict.decision)}</td>"
    kind = "same" if pair.verdict.decision == "same speaker" else "different"
    return (
        f'<td class="{kind}{"" if pair.right else " wrong"}">{pair.verdict.llr:+.1f}'
        f"<small>{pair.verdict.score:.2f}</small></td>"
    )


def _decisions(compared: Comparison, names: list[str]) -> Html:
    rows = []
    for pair in compared.pairs:
        verdict = pair.verdict
        probability = "" if verdict.probability is None else percent(verdict.probability)
        expected = ""
        if (rates := verdict.expected) is not None:
            expected = f"{interval(rates.miss, rates.miss_interval)} · "
            expected += interval(rates.false_alarm, rates.false_alarm_interval)
        speech = f"{min(verdict.speech_seconds):.1f} s"
        agrees = "yes" if pair.right else "no" if pair.decided else "undecided"
        both = f"{names[pair.first]} – {names[pair.second]}"
        rows.append([both, verdict.decision, probability, speech, expected, agrees])
    head = [
        "turns",
        "decision",
        "P(same)",
        "least speech",
        "misses · false alarms to expect (95 % interval)",
        "as in the transcript",
    ]
    return table(head, rows, numbers=(2, 3, 4))


def _data_uris(compared: Comparison) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "turn.flac"
        for wave in compared.waves:
            write(file, wave, compared.sample_rate)
            yield "data:audio/flac;base64," + base64.b64encode(file.read_bytes()).decode()
