"""Several score lists side by side: one row a list, in the columns of the field's tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic
from voxsphere.core.scores import Scores
from voxsphere.evaluate.page import Html, figure, figures, page, paragraph, section, table
from voxsphere.evaluate.plots import det_plot
from voxsphere.evaluate.results import PRIORS, Results
from voxsphere.metrics.detection import Ranking

HEADER = (
    "list",
    "trials",
    "EER % (95 % interval)",
    "threshold",
    *(f"minDCF {prior:g}".replace("0.", ".") for prior in PRIORS),
)
"""What `row` tells, in its order."""


def names_of(files: Sequence[Path]) -> list[str]:
    """A name for each score file: its file's, with as many folders before it as tell them apart. `BadInput` for two of
    one place."""
    if len(set(files)) < len(files):
        raise BadInput(f"{next(file for file in files if files.count(file) > 1)}: is given twice; give each file once")
    depth, longest = 1, max(len(file.parts) for file in files)
    while depth < longest and len({file.parts[-depth:] for file in files}) < len(files):
        depth += 1
    return [str(Path(*file.parts[-depth:])) for file in files]


def row(name: str, results: Results) -> tuple[str, ...]:
    """A list's line of the table, in words."""
    eer = results.eer
    between = "" if eer.interval is None else f" ({100 * eer.interval[0]:.2f}–{100 * eer.interval[1]:.2f})"
    threshold = results.threshold.worded(results.threshold.value)
    costs = (each.worded(each.value) for each in results.min_dcf)
    return name, f"{results.trials:,}", f"{100 * eer.value:.2f}{between}", threshold, *costs


def note(found: Mapping[str, Results]) -> str:
    """What holds for the whole table, in words."""
    told = list(dict.fromkeys(results.note for results in found.values()))
    return told[0] if len(told) == 1 else f"{told[0].partition(';')[0]}; --json tells of each list's intervals"


def report(scores: Mapping[str, Scores], found: Mapping[str, Results], path: str | Path) -> None:
    """Write one self-contained HTML page of several lists, atomically: the table, and each one's DET curve."""
    rows = [row(name, results) for name, results in found.items()]
    listed = table(HEADER, rows, numbers=range(1, len(HEADER)), long=(0,))
    told = paragraph(
        f"{note(found)}. From the threshold on, and including it, a score counts as the same speaker's; there misses "
        "and false alarms are alike. minDCF: the detection cost at the best threshold, by the prior of the same "
        "speaker; 1 is not listening.",
        note=True,
    )
    drawn = figures(*(_curve(name, each, place) for place, (name, each) in enumerate(scores.items())))
    trials = sum(results.trials for results in found.values())
    lead = f"{len(found)} lists, {trials:,} trials in all."
    with atomic(path) as file:
        sections = [section("Results", listed, told), section("Curves", drawn)]
        file.write(page("Speaker verification report", sections, lead=lead))


def _curve(name: str, scores: Scores, place: int) -> Html:
    ranking = Ranking.of(scores.target_scores, scores.nontarget_scores)
    drawn = det_plot(ranking, PRIORS, name=f"det-{place}")
    return figure(drawn, f"{name}: misses over false alarms. The diamond is the EER; the circles are the minDCFs.")
