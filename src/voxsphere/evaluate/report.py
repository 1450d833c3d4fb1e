"""The evaluation report: one self-contained HTML page of a score list's figures, plots and worst trials."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool

from voxsphere.core.files import atomic
from voxsphere.core.scores import Scores
from voxsphere.evaluate.page import Html, figure, figures, page, paragraph, section, table
from voxsphere.evaluate.plots import calibration_plot, det_plot, histogram
from voxsphere.evaluate.results import PRIORS, Results
from voxsphere.metrics.detection import Ranking, bayes_threshold

WORST = 10
"""How many of the most wrong trials are shown of each kind."""

_MEANING = {
    "EER": "misses and false alarms alike",
    "EER threshold": "from this score on the answer is: the same speaker",
    "accuracy there": "how many of these trials that answers rightly",
    "minDCF": "detection cost at the best threshold; 1 is not listening",
    "actDCF": "detection cost at the threshold that the LLR itself sets",
    "Cllr": "what the LLRs cost; 0 is perfect, 1 is not listening",
    "min Cllr": "what the scores would cost as LLRs after the best recalibration",
    "ROC AUC": "how often a trial of one speaker scores above one of two; 0.5 is not listening",
    "average precision": "how many of the trials that score as high as one of one speaker are of one, too; the mean",
}


def report(scores: Scores, results: Results, path: str | Path) -> None:
    """Write the page for labelled scores and what `evaluate` found in them, atomically. It needs no network."""
    ranking = Ranking.of(scores.target_scores, scores.nontarget_scores)
    sections = [
        section("Results", _figure_table(results), paragraph(f"{results.note}.", note=True)),
        section("Curves", _plots(scores, ranking)),
        section("The most wrong trials", *_worst(scores)),
        section("Where this comes from", _provenance(results)),
    ]
    with atomic(path) as file:
        file.write(page("Speaker verification report", sections, lead=_lead(results)))


def _lead(results: Results) -> str:
    between = "the interval is not available"
    if results.eer.interval is not None:
        between = f"95 % interval {results.eer.worded(*results.eer.interval)}"
    return (
        f"Equal error rate {results.eer.worded(results.eer.value)} ({between}), measured on {results.trials:,} trials "
        f"of {results.speakers:,} speakers."
    )


def _figure_table(results: Results) -> Html:
    rows = []
    for each in results.figures:
        between = "not available" if each.interval is None else each.worded(*each.interval)
        rows.append((each.name, each.worded(each.value), between, _MEANING[each.name.split(" (")[0]]))
    return table(("", "value", "95 % interval", "meaning"), rows, numbers=(1, 2))


def _plots(scores: Scores, ranking: Ranking) -> Html:
    llr = scores.scale == "llr"
    lines = [(bayes_threshold(prior), f"Bayes threshold at p = {prior:g}") for prior in PRIORS] if llr else []
    drawn = [
        figure(
            det_plot(ranking, PRIORS),
            "Detection error trade-off on normal-deviate axes: each point of the curve is a threshold. The diamond is "
            f"the EER; the circles are the minDCF at p = {PRIORS[0]:g} and {PRIORS[1]:g}.",
        ),
        figure(
            histogram(scores.target_scores, scores.nontarget_scores, scores.scale, lines),
            "How the scores of both kinds of trials are distributed; each area is 1."
            + (f" Dashed: the Bayes thresholds at p = {PRIORS[0]:g} and {PRIORS[1]:g}." if llr else ""),
        ),
    ]
    if llr:
        drawn.append(
            figure(
                calibration_plot(ranking),
                "Calibration: the LLR that these trials bear out (monotone fit) over the LLR that was stated. On the "
                "diagonal an LLR means what it says; a flatter curve claims too much, a steeper one too little. Cut "
                "off at ±10 nats.",
            )
        )
    return figures(*drawn)


def _worst(scores: Scores) -> tuple[Html, ...]:
    target: Bool[np.ndarray, " trials"] = np.asarray(scores.trials.target, dtype=bool)
    order = np.argsort(scores.values, kind="stable")
    lowest, highest = order[target[order]][:WORST], order[~target[order]][::-1][:WORST]
    return (
        paragraph("The same speaker, with the lowest scores:"),
        _trial_table(scores, lowest),
        paragraph("Different speakers, with the highest scores:"),
        _trial_table(scores, highest),
        paragraph("Listen to these first: wrong labels show here before anything else.", note=True),
    )


def _trial_table(scores: Scores, places: np.ndarray) -> Html:
    ids, trials = scores.trials.ids, scores.trials
    rows = [(ids[trials.enrol[at]], ids[trials.test[at]], f"{scores.values[at]:+.3f}") for at in places]
    return table(("enrolment", "test", scores.scale), rows, numbers=(2,), long=(0, 1))


def _provenance(results: Results) -> Html:
    rows = [
        ("trials", f"{results.trials:,}: {results.targets:,} target, {results.nontargets:,} non-target"),
        ("speakers", f"{results.speakers:,} ({results.speakers_from})"),
        ("scores", results.scale),
        ("model", results.model or "not stated in the scores"),
    ]
    return table(("", ""), rows, long=(1,))
