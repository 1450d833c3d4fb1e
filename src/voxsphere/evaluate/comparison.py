"""Is one system better than another? Both on the same trials, and how sure the difference is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from voxsphere.core.errors import BadInput
from voxsphere.core.scores import Scores
from voxsphere.evaluate.speakers import speakers_of
from voxsphere.metrics.confidence import LEAST_SPEAKERS, paired_bootstrap
from voxsphere.metrics.detection import Tally, eer, eer_of, error_rates_of


@dataclass(frozen=True)
class Comparison:
    """The EERs of two systems on the same trials; `difference` is the second less the first, with its 95 % interval.

    `verdict` is from the first system's side: "better" where the whole interval lies above 0. `interval` is None, and
    nothing is shown, on fewer than `LEAST_SPEAKERS` speakers.
    """

    eer: float
    other_eer: float
    difference: float
    interval: tuple[float, float] | None
    speakers: int
    replicates: int

    @property
    def verdict(self) -> Literal["better", "worse", "not shown different"]:
        """What the interval allows to say."""
        if self.interval is None or self.speakers < LEAST_SPEAKERS or self.interval[0] <= 0 <= self.interval[1]:
            return "not shown different"
        return "better" if self.interval[0] > 0 else "worse"

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        return asdict(self) | {"verdict": self.verdict}


def compare(
    scores: Scores,
    other: Scores,
    *,
    speaker_of: Mapping[str, str] | None = None,
    replicates: int | None = None,
    seed: int = 0,
) -> Comparison:
    """Two systems' EERs by paired bootstrap over speakers; see `metrics.confidence.paired_bootstrap`.

    No replicate is drawn where the list has fewer than `LEAST_SPEAKERS` speakers.

    The lists may be in any order, but are to hold the same labelled trials (`BadInput` otherwise).
    """
    order = _in_order_of(scores, other)
    enrol, test, _ = speakers_of(scores.trials, speaker_of)
    if len(np.union1d(enrol, test)) < LEAST_SPEAKERS:
        replicates = 0
    target = np.asarray(scores.trials.target, dtype=bool)
    values, others = scores.values, other.values[order]

    def statistic(tally: Tally) -> Float64[np.ndarray, " figures"]:
        return np.array([eer_of(error_rates_of(tally))])

    found = paired_bootstrap(
        (values[target], values[~target]),
        (others[target], others[~target]),
        enrol[target],
        np.stack([enrol[~target], test[~target]], axis=1),
        statistic,
        replicates=replicates,
        seed=seed,
    )
    interval = None
    if found.low is not None and found.high is not None:
        interval = (float(found.low[0]), float(found.high[0]))
    return Comparison(
        eer=float(eer(values[target], values[~target])),
        other_eer=float(eer(others[target], others[~target])),
        difference=float(found.value[0]),
        interval=interval,
        speakers=found.speakers,
        replicates=found.replicates,
    )


def _in_order_of(scores: Scores, other: Scores) -> list[int]:
    """Where each trial of `scores` stands in `other`."""
    place = {pair: row for row, pair in enumerate(_pairs(other))}
    wanted = _pairs(scores)
    if len(place) != len(wanted) or (missing := next((pair for pair in wanted if pair not in place), None)):
        told = f"; it lacks {missing[0]} {missing[1]}" if len(place) == len(wanted) and missing else ""
        raise BadInput(f"the two lists hold different trials ({len(wanted)} and {len(place)}){told}; compare one list")
    order = [place[pair] for pair in wanted]
    if scores.trials.target is None or other.trials.target is None:
        raise BadInput("a comparison needs labelled trials")
    if not np.array_equal(scores.trials.target, np.asarray(other.trials.target)[order]):
        raise BadInput("the two lists contradict each other about which trials are of the same speaker")
    return order


def _pairs(scores: Scores) -> list[tuple[str, str]]:
    ids, trials = scores.trials.ids, scores.trials
    return [(ids[a], ids[b]) for a, b in zip(trials.enrol, trials.test, strict=True)]
