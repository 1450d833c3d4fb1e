"""The section of a run's page on telling unknown speakers apart, and what its figures mean in words."""

from collections.abc import Iterator

from voxsphere.core.scores import Scores
from voxsphere.evaluate.page import Html, escape, figure, figures, paragraph, percent, table
from voxsphere.evaluate.plots import det_plot, histogram
from voxsphere.evaluate.results import PRIORS, Figure, Results
from voxsphere.metrics.confidence import LEAST_SPEAKERS
from voxsphere.metrics.detection import Ranking
from voxsphere.train.trace import Trace
from voxsphere.train.verdict import decided_in


def detection(trace: Trace, results: Results, scores: Scores | None) -> Iterator[Html]:
    """The figures, how the scores lie, and what the held-out speakers were asked before."""
    rows = [(each.name, _value(each), _between(each, ends_of(each, results))) for each in results.figures]
    yield table(("", "value", "95 % interval"), rows, numbers=(1, 2))
    yield paragraph(f"{results.note}.", note=True)
    if scores is not None:
        ranking = Ranking.of(scores.target_scores, scores.nontarget_scores)
        yield figures(
            figure(
                det_plot(ranking, PRIORS),
                "Detection error trade-off: each point of the curve is a threshold. The diamond is the EER; the "
                f"circles are the minDCF at p = {PRIORS[0]:g} and {PRIORS[1]:g}.",
            ),
            figure(
                histogram(scores.target_scores, scores.nontarget_scores, scores.scale, ()),
                "How the scores of both kinds of pairs are distributed; each area is 1. The less they overlap, the "
                "better.",
            ),
        )
    yield paragraph(
        Html(
            f"These speakers taught the model nothing{_here(trace)}, but {escape(_chose(trace))} A list of further "
            "speakers, scored once, is the honest test: <code>voxsphere extract</code>, <code>score</code> and "
            "<code>evaluate</code>."
        ),
        note=True,
    )


def ends_of(figure: Figure, results: Results) -> tuple[float, float] | None:
    """The figure's interval; None where it rests on too few speakers to mean something."""
    return figure.interval if results.speakers >= LEAST_SPEAKERS else None


def meaning(eer: Figure) -> str:
    """An equal error rate in a reader's words."""
    if eer.value >= 0.4:
        return "hardly better than tossing a coin, which is wrong in 50 of 100 pairs"
    if eer.value == 0:
        return "none of these pairs was judged wrongly, which does not say that none ever will be"
    wrong = 100 * eer.value
    often = f"{wrong:.0f} of 100" if wrong >= 1 else f"{10 * wrong:.0f} of 1,000" if wrong >= 0.1 else "1 of 1,000"
    about = "fewer than" if wrong < 0.1 else "about"
    return (
        f"at the threshold where both errors are alike, {about} {often} pairs of one speaker are taken for two, and as "
        "many pairs of two speakers for one"
    )


def unheard(trace: Trace) -> bool:
    """Whether the model is known to have heard no held-out speaker before this run, either."""
    start = trace.data.get("start")
    return start is None or bool(start.get("all_heard"))


def _here(trace: Trace) -> str:
    if unheard(trace):
        return ""
    return escape(f" in this run (whether {trace.data['start']['name']} heard them before is not known)")


def _chose(trace: Trace) -> str:
    """What the held-out speakers were asked during the run."""
    chosen = decided_in(trace.recipe, trace.data)
    if not chosen:
        return "whoever compares recipes by these figures chooses by them."
    return f"their figures decided {' and '.join(chosen)}, so that others may fare a little worse."


def _value(figure: Figure) -> str:
    return percent(figure.value) if figure.unit == "rate" else figure.worded(figure.value)


def _between(figure: Figure, ends: tuple[float, float] | None) -> str:
    if ends is None:
        return "not available"
    if figure.unit == "rate":
        return " to ".join(f"{100 * end:.1f}" for end in ends) + " %"
    return figure.worded(*ends)
