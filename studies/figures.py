"""Figures of stored scores, as docs/results.md shows them."""

from pathlib import Path

from voxsphere.core.scores import Scores
from voxsphere.evaluate.results import Figure, Results, evaluate


def evaluated(path: Path) -> Results:
    """What a stored score file says, with intervals over speakers."""
    scores = Scores.load(path)
    # The corpus's ids are `data set/speaker/…`.
    speaker_of = {name: "/".join(name.split("/")[:2]) for name in scores.trials.ids}
    return evaluate(scores, speaker_of=speaker_of)


def cell(figure: Figure) -> str:
    """A figure and its interval; rates in per cent."""
    scale, places = (100, 2) if figure.unit == "rate" else (1, 3)
    value = f"{scale * figure.value:.{places}f}"
    if figure.interval is None:
        return f"{value} (interval not available)"
    return f"{value} ({scale * figure.interval[0]:.{places}f}–{scale * figure.interval[1]:.{places}f})"
