"""The learning curves of a run: what was lost, what was set, and what held-out speakers said of it, as figures."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from voxsphere.evaluate.page import Html, figure, figures, paragraph
from voxsphere.evaluate.plots import counted
from voxsphere.train.curves import Curve, chart
from voxsphere.train.distances import EDGES
from voxsphere.train.trace import Columns, Trace

_SET = {
    "learning_rate": "The learning rate, as scheduled.",
    "margin": "The margin that the loss asks for.",
    "gradient_norm": "The length of the gradient before each update.",
}
"""What the logbook tells of the steps beside losses and accuracy."""

_LOGGED = {
    "loss": "The loss on the examples it learns from.",
    "spread": "How far the embeddings of a batch lie apart: 1 − their mean cosine. 0 is a collapse.",
    "active": "The share of the mined triplets that still teach something.",
    "triplets": "How many triplets were mined of a batch.",
}
"""What the losses and signs are that every objective logs by these names."""


def learning(trace: Trace) -> Html:
    """All curves of the run, side by side where the page is wide enough; those on held-out speakers come first."""
    if not trace.learning:
        return paragraph("Nothing is in the logbook yet.")
    curves = figures(*(figure(picture, what) for picture, what in drawings(trace)))
    return Html(curves + figures(*_distances(trace))) if trace.distances else curves


def drawings(trace: Trace) -> Iterator[tuple[Html, str]]:
    """Each of the curves, and what it shows, those on held-out speakers first."""
    yield from _at_validations(trace)
    yield from _losses(trace)
    yield from _settings(trace)


def _at_validations(trace: Trace) -> Iterator[tuple[Html, str]]:
    wrong = (("identification_error", "recordings", "target"), ("frame_error", "parts", "nontarget"))
    mistaken = [c for name, label, kind in wrong if (c := _curve(trace.judged, name, label, kind)) is not None]
    if mistaken:
        what = "The share of held-out recordings, and of their parts, that are taken for another speaker's."
        yield _drawn(trace, "error", mistaken, what, shown=_per_cent)
    if (lost := _curve(trace.judged, "heldout_loss")) is not None:
        yield _drawn(trace, "held-out loss", [lost], "The mean −log p of the true speaker, over held-out parts.")
    if (known := _curve(trace.judged, "valid_error")) is not None:
        what = "The share of recordings left out of learnt speakers that the head takes for another's."
        yield _drawn(trace, "error on learnt speakers", [known], what, shown=_per_cent)
    if (eer := _curve(trace.judged, "eer")) is not None:
        what = "Equal error rate (EER) on held-out speakers, by cosine."
        yield _drawn(trace, "EER", [eer], what, shown=_per_cent)
    wanted = (("min_dcf", "p = 0.01", "target"), ("min_dcf_0.001", "p = 0.001", "nontarget"))
    found = [c for name, label, kind in wanted if (c := _curve(trace.judged, name, label, kind)) is not None]
    if found:
        what = "minDCF on held-out speakers, at two shares p of target trials; 1 is not listening."
        yield _drawn(trace, "minDCF", found, what)


def _losses(trace: Trace) -> Iterator[tuple[Html, str]]:
    columns = trace.learning
    names = [name for name in columns if name not in ("step", "epoch", "accuracy", *_SET)]
    for name in sorted(names, key=lambda name: name != "loss"):
        if (curve := _curve(columns, name)) is not None:
            what = _LOGGED.get(name, f"{name}, as the objective names it.")
            yield _drawn(trace, name, [curve], what, from_zero=name in ("spread", "active"))
    if (curve := _curve(columns, "accuracy")) is not None:
        what = "Accuracy: how often the likeliest of the speakers it learns is the right one."
        yield _drawn(trace, "accuracy", [curve], what, shown=_per_cent)


def _distances(trace: Trace) -> Iterator[Html]:
    """How the held-out trials' distances lay at first and lie now."""
    for epoch, found in trace.distances:
        picture = counted(EDGES, found.target, found.nontarget, "distance (1 − cosine)", name=f"distances-{epoch}")
        yield figure(
            picture,
            f"Distances of held-out speakers' recordings after epoch {epoch:,}. Learning moves those of one speaker to "
            "the left and those of different speakers to the right; where all lie at 0, nothing is told apart.",
        )


def _settings(trace: Trace) -> Iterator[tuple[Html, str]]:
    for name, what in _SET.items():
        if (curve := _curve(trace.learning, name)) is not None:
            clip = trace.recipe["clip"] if name == "gradient_norm" else None
            cut = (
                "" if clip is None else f" Longer ones were cut to {clip:g} (dashed, where the drawing reaches so far)."
            )
            limit = None if clip is None else (float(clip), f"bound {clip:g}")
            yield _drawn(trace, name.replace("_", " "), [curve], what + cut, limit=limit)


def _drawn(
    trace: Trace,
    label: str,
    drawn: Sequence[Curve],
    what: str,
    *,
    shown: Callable[[float], str] = lambda value: f"{value:g}",
    from_zero: bool = True,
    limit: tuple[float, str] | None = None,
) -> tuple[Html, str]:
    picture = chart(label, drawn, steps=trace.step, shown=shown, from_zero=from_zero, chosen=trace.chosen, limit=limit)
    return picture, what


def _curve(columns: Columns, name: str, label: str = "", kind: str = "target") -> Curve | None:
    """The lines that hold a number by this name, None where none does."""
    values = columns.get(name, np.zeros(0))
    known = np.isfinite(values)
    return Curve(label or name, columns["step"][known], values[known], kind) if known.any() else None


def _per_cent(value: float) -> str:
    return f"{100 * value:.4g} %"
