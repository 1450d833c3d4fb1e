"""The usual tables of a system's study, as Markdown, of what is stored alone."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any

from studies.systems.figures import PRIORS
from studies.systems.store import Store
from studies.systems.study import BY_SPEAKER, HELD_OUT, Study

Figures = dict[str, Any]
_NAMES = {
    HELD_OUT: "held-out train speakers",
    BY_SPEAKER: "held-out train speakers, enrolled by the mean of half of their recordings",
}


def standard(study: Study, store: Store) -> str:
    """Budget, verdict, a table of what is judged, of each further set, of the steps and the lists; what broke off."""
    figures = store.figures or {"lists": {}, "sets": {}, "beats": {}}
    parts = [budget(study, store), verdict(study, figures)]
    parts += [verification(study, figures, name) for name in figures["lists"] if _teaching(study, name)]
    parts += [identification(study, figures, name) for name in figures["sets"]]
    parts += [steps(study, figures), lists(study, figures), broken(study, store)]
    return "\n\n".join(part for part in parts if part)


def budget(study: Study, store: Store) -> str:
    """What a run may take, as the study says, and what the runs that are stored took."""
    told = [told for row in study.rows for told in store.runs.get(row.name, {}).get("seeds", {}).values()]
    if not told:
        return study.budget
    seconds = [each["cpu_seconds"] for each in told]
    counted = (
        f"{len(told)} runs, {sum(seconds) / 60:.0f} CPU minutes in all, in the median {median(seconds):.0f} s a run, "
        f"the longest {max(seconds):.0f} s"
    )
    return f"{study.budget} One thread a run; {counted} (training and scoring)."


def verdict(study: Study, figures: Figures) -> str:
    """Whether the reference row beats what is to be beaten, and which rows do not."""
    beats = figures["beats"]
    if not (beaten := beats.get(study.reference)):
        return ""
    kind, figure = ("lists", "eer") if study.judged in figures["lists"] else ("sets", "accuracy")
    less = figures[kind][study.judged]["rows"][study.reference][figure]["less"]
    each = [f"than *{floor}*: {_answer(won, _called(figure), less.get(floor))}" for floor, won in beaten.items()]
    said = "counts as running" if all(beaten.values()) else "does not count as running"
    text = f"`{study.reference}` is shown better on {called(study.judged)} {'; '.join(each)}. The system {said}."
    if lost := [row for row, won in beats.items() if row != study.reference and not all(won.values())]:
        text += f" Rows that do not beat both: {', '.join(f'`{row}`' for row in lost)}."
    return text


def _answer(won: bool | None, figure: str, less: Sequence[float] | None) -> str:
    return "not run" if won is None else f"{'yes' if won else 'no'} ({figure} {apart(less)} points)"


def verification(study: Study, figures: Figures, name: str) -> str:
    """A list's table: EER and costs of each row with intervals, and how the EER differs from the others'."""
    found = figures["lists"][name]
    others = _others(study, found["rows"], "eer")
    costs = [f"minDCF ({prior:g})" for prior in PRIORS]
    head = ["row", "seeds", "EER %", *costs, *(f"EER less that of {other}, points" for other in others)]
    body = [
        [
            shown,
            str(told["seeds"]),
            rate(told["eer"]),
            *(cost(told[f"min_dcf_{prior:g}"]) for prior in PRIORS),
            *(apart(told["eer"]["less"].get(other)) for other in others),
        ]
        for shown, told in _rows(study, found["rows"])
    ]
    counts = f"{found['trials']:,} trials, {found['targets']:,} of them targets, {found['speakers']} speakers"
    return f"{called(name)[0].upper()}{called(name)[1:]} ({counts}):\n\n{table(head, body)}" if body else ""


def identification(study: Study, figures: Figures, name: str) -> str:
    """A set's table: the share of right decisions of each row with its interval, and how it differs from others'."""
    found = figures["sets"][name]
    others = _others(study, found["rows"], "accuracy")
    head = ["row", "seeds", "right %", *(f"less that of {other}, points" for other in others)]
    body = [
        [
            shown,
            str(told["seeds"]),
            rate(told["accuracy"]),
            *(apart(told["accuracy"]["less"].get(other)) for other in others),
        ]
        for shown, told in _rows(study, found["rows"])
    ]
    counts = f"{found['utterances']:,} utterances, {found['speakers']} speakers"
    return f"{called(name)[0].upper()}{called(name)[1:]} ({counts}):\n\n{table(head, body)}" if body else ""


def lists(study: Study, figures: Figures) -> str:
    """The EER of each row on each of the corpus's lists."""
    names = [name for name in figures["lists"] if not _teaching(study, name)]
    there = {row for name in names for row in figures["lists"][name]["rows"]}
    if not there:
        return ""
    body = []
    for row in (each.name for each in (*study.rows, *study.floors)):
        if row not in there:
            continue
        told = [figures["lists"][name]["rows"].get(row) for name in names]
        body.append([_shown(study, row), *("–" if each is None else rate(each["eer"]) for each in told)])
    return f"EER in % on the evaluation lists, which chose nothing:\n\n{table(['row', *names], body)}"


def by_list(figures: Figures, rows: Iterable[str]) -> str:
    """A line for each of the rows and each list: EER, the threshold there, and costs; "" of nothing."""
    head = ["row", "list", "EER %", "threshold", *(f"minDCF ({prior:g})" for prior in PRIORS)]
    body = [
        [
            row,
            called(name),
            rate(told["eer"]),
            cost(told["eer_threshold"]),
            *(cost(told[f"min_dcf_{prior:g}"]) for prior in PRIORS),
        ]
        for row in rows
        for name, found in figures["lists"].items()
        if (told := found["rows"].get(row))
    ]
    # The list is text too.
    return table(head, body).replace("| --- | ---: |", "| --- | --- |", 1) if body else ""


def steps(study: Study, figures: Figures) -> str:
    """By how much each row that the study compares with another differs from it; "" of nothing.

    The EER on the lists of train speakers, and the right decisions on the sets.
    """
    judging = [
        *((f"EER, {called(name)}", "eer", each) for name, each in figures["lists"].items() if _teaching(study, name)),
        *((f"right decisions, {called(name)}", "accuracy", each) for name, each in figures["sets"].items()),
    ]
    body = []
    for one, other in study.compared:
        told = [each["rows"].get(one, {}).get(figure, {}).get("less", {}).get(other) for _, figure, each in judging]
        if any(told):
            body.append([f"`{one}` less `{other}`", *map(apart, told)])
    shown = table(["step", *(head for head, _, _ in judging)], body)
    return f"What each step changes, in points:\n\n{shown}" if body else ""


def broken(study: Study, store: Store) -> str:
    """Which runs broke off, and why."""
    each = [
        f"`{name}`, seed {seed}: {reason}"
        for name in study.names
        for seed, reason in store.runs.get(name, {}).get("broken", {}).items()
    ]
    return f"Broke off: {'; '.join(each)}." if each else ""


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text, the others figures."""
    return "\n".join(_lines(head, body))


def _lines(head: Sequence[str], body: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in body)


def rate(figure: Figures) -> str:
    """A rate and its interval in per cent."""
    low, high = (100 * end for end in figure["interval"])
    return f"{100 * figure['value']:.1f} ({low:.1f}–{high:.1f})"


def spread(values: Sequence[float | None]) -> str:
    """The mean of several runs' values, and the lowest and the highest; "–" where no run tells one."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    digits = 1 if max(known) > 2 else 3
    mean = sum(known) / len(known)
    ends = f" ({min(known):.{digits}f}–{max(known):.{digits}f})" if len(known) > 1 else ""
    return f"{mean:.{digits}f}{ends}"


def cost(figure: Figures) -> str:
    """A cost, or a threshold, and its interval."""
    low, high = figure["interval"]
    return f"{figure['value']:.3f} ({low:.3f}–{high:.3f})"


def apart(less: Sequence[float] | None) -> str:
    """A difference of rates in points with its interval; bold where that does not hold 0."""
    if less is None:
        return "–"
    value, low, high = (100 * each for each in less)
    told = f"{value:+.1f} ({low:+.1f} to {high:+.1f})"
    return told if low <= 0 <= high else f"**{told}**"


def called(name: str) -> str:
    """What a list or set is called in a sentence."""
    return _NAMES.get(name, name.replace("_", " "))


def _teaching(study: Study, name: str) -> bool:
    """Whether a list is of train speakers, and none of the evaluation lists."""
    return name.startswith(HELD_OUT) or name == study.judged


def _called(figure: str) -> str:
    return {"eer": "EER", "accuracy": "right decisions"}[figure]


def _others(study: Study, rows: Figures, figure: str) -> list[str]:
    """Whom the rows are compared with, as far as it is stored."""
    known = {other for told in rows.values() for other in told[figure]["less"]}
    return [name for name in (study.reference, *(floor.name for floor in study.floors)) if name in known]


def _rows(study: Study, found: Figures) -> Iterator[tuple[str, Figures]]:
    asked = [*study.rows, *study.floors]
    for row in (each.name for each in asked):
        if row in found:
            yield _shown(study, row), found[row]


def _shown(study: Study, row: str) -> str:
    """A row's name; what is to be beaten is set in italics."""
    return f"*{row}*" if row in {floor.name for floor in study.floors} else row
