"""Confidence intervals: how far would a figure move had other speakers been recorded?

The trials of a list are not independent: they share speakers, and speakers differ (Doddington's sheep, goats, lambs
and wolves, 1998). Resampling trials ignores that, and its intervals are too narrow. Here speakers are resampled:

- Each replicate draws as many speakers as there are, with replacement; c_s is how often speaker s was drawn.
- A target trial of speaker s weighs c_s (Poh, Martin & Bengio 2007, "Performance generalization in biometric
  authentication using joint user-specific and sample bootstraps": users are drawn, a user brings all his trials).
- A non-target trial of speakers a and b weighs c_a · c_b (Owen 2007, "The pigeonhole bootstrap": both axes are
  resampled). As both sides are drawn from one population of speakers, the counts on both axes are the same draw, for
  which Davezies, D'Haultfœuille & Guyonvarch (2021), "Empirical process results for exchangeable arrays", prove
  consistency.
- The interval runs between percentiles of the replicates' figures.
- A replicate in which all target or all non-target trials weigh nothing has no figure: it is drawn again, and counted.

Conventions: speakers are small integers, one per target trial, two per non-target trial.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import ArrayLike

from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream
from voxsphere.metrics.detection import Ranking, Tally

Statistic = Callable[[Tally], Float64[np.ndarray, " figures"]]

LEAST_SPEAKERS = 10
"""Fewer speakers say nothing of others: an interval drawn over them is too narrow, with two it has no width at all.

How often decisions fail, and whether one system is better than another, is claimed on so many or more.
"""


@dataclass(frozen=True)
class Bootstrap:
    """Figures with their intervals; `low` and `high` are None where fewer than two speakers leave nothing to draw."""

    value: Float64[np.ndarray, " figures"]
    low: Float64[np.ndarray, " figures"] | None
    high: Float64[np.ndarray, " figures"] | None
    speakers: int
    replicates: int
    redrawn: int


def bootstrap(
    target: ArrayLike,
    nontarget: ArrayLike,
    target_speakers: Int[np.ndarray, " targets"],
    nontarget_speakers: Int[np.ndarray, "nontargets 2"],
    statistic: Statistic,
    *,
    replicates: int | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """The figures that `statistic` takes from a `Tally`, with percentile intervals over resampled speakers.

    `replicates` None takes `suitable_replicates`. The scores are ranked once; a replicate costs O(trials). Raises
    `BadInput` where speakers and trials do not match, or a non-target trial has the same speaker twice.
    """
    pairs = [(target, nontarget)]
    return _bootstrap(pairs, target_speakers, nontarget_speakers, statistic, replicates, level, seed)


def paired_bootstrap(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    target_speakers: Int[np.ndarray, " targets"],
    nontarget_speakers: Int[np.ndarray, "nontargets 2"],
    statistic: Statistic,
    *,
    replicates: int | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """The second system's figures less the first's, on the same trials, with intervals.

    Each system is a pair (target scores, non-target scores), in the order of the speakers. Both see the same resampled
    speakers, so what makes a draw easy for both cancels. An interval without 0 in it shows a difference.
    """
    return _bootstrap([second, first], target_speakers, nontarget_speakers, statistic, replicates, level, seed)


def _bootstrap(
    systems: Sequence[tuple[ArrayLike, ArrayLike]],
    target_speakers: Int[np.ndarray, " targets"],
    nontarget_speakers: Int[np.ndarray, "nontargets 2"],
    statistic: Statistic,
    replicates: int | None,
    level: float,
    seed: int,
) -> Bootstrap:
    """The figures of the first system, less those of the second where there is one."""
    rankings = [Ranking.of(target, nontarget) for target, nontarget in systems]
    numbered = [_numbered(ranking, target_speakers, nontarget_speakers) for ranking in rankings]
    of_target, of_nontarget, speakers = numbered[0]

    def figures(*weights: Float64[np.ndarray, " trials"]) -> Float64[np.ndarray, " figures"]:
        each = [statistic(ranking.tally(*weights)) for ranking in rankings]
        return each[0] if len(each) == 1 else each[0] - each[1]

    value = figures()
    if replicates is None:
        replicates = suitable_replicates(len(of_target) + len(of_nontarget))
    if speakers < 2 or replicates < 1:
        return Bootstrap(value, None, None, speakers, 0, 0)
    draw = stream("bootstrap over speakers", seed)
    drawn = np.empty((replicates, len(value)))
    done = redrawn = 0
    while done < replicates:
        count = np.bincount(draw.integers(0, speakers, speakers), minlength=speakers).astype(np.float64)
        target_weight = count[of_target]
        nontarget_weight = count[of_nontarget[:, 0]] * count[of_nontarget[:, 1]]
        if not (target_weight.any() and nontarget_weight.any()):
            redrawn += 1
            continue
        drawn[done] = figures(target_weight, nontarget_weight)
        done += 1
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Bootstrap(value, low, high, speakers, replicates, redrawn)


def suitable_replicates(trials: int) -> int:
    """1000 replicates up to 50,000 trials, for longer lists fewer, never below 200: still five beyond each 95 % end."""
    return int(np.clip(50_000_000 // max(trials, 1), 200, 1000))


def no_error_bound(speakers: int, *, level: float = 0.95) -> float:
    """The highest error rate to reckon with after no error at all among `speakers` independent speakers.

    A bootstrap of trials without an error is 0 to 0, however few the speakers. This is the exact (Clopper & Pearson
    1934) upper limit for 0 errors in n: 1 - ((1-level)/2)^(1/n), about 3.7 / n at 95 %.
    """
    return float(1 - ((1 - level) / 2) ** (1 / speakers))


def _numbered(
    ranking: Ranking, target_speakers: Int[np.ndarray, " targets"], nontarget_speakers: Int[np.ndarray, "nontargets 2"]
) -> tuple[Int[np.ndarray, " targets"], Int[np.ndarray, "nontargets 2"], int]:
    """The speakers of each trial, numbered from 0 without gaps, and their number."""
    target_speakers, nontarget_speakers = np.asarray(target_speakers), np.asarray(nontarget_speakers)
    if target_speakers.shape != ranking.target.shape or nontarget_speakers.shape != (len(ranking.nontarget), 2):
        raise BadInput("each target trial needs its speaker and each non-target trial its two speakers")
    same = nontarget_speakers[:, 0] == nontarget_speakers[:, 1]
    if same.any():
        raise BadInput(f"non-target trial {int(np.argmax(same))} has the same speaker on both sides")
    known, numbers = np.unique(np.concatenate([target_speakers, nontarget_speakers.ravel()]), return_inverse=True)
    return numbers[: len(target_speakers)], numbers[len(target_speakers) :].reshape(-1, 2), len(known)
