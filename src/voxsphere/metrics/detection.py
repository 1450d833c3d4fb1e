"""Error rates of verification: how often does a threshold on the scores decide wrongly?

A trial asks whether two recordings are of the same speaker; a score answers it, and a threshold makes it a decision.

Conventions
-----------
- Target scores (same speaker) come first, non-target scores (different speakers) second; both are finite 1-D arrays.
- A higher score means "same speaker"; a score equal to the threshold is accepted.
- Rates are fractions (0.01 is one per cent). Costs are normalised: 1 is the cost of the better of the two systems that
  do not listen (accept all, reject all).
- Tied scores cannot be told apart by any threshold, so they are one step of the curves.

Metrics
-------
- `error_rates`: miss and false-alarm rate at every threshold (the DET curve, Martin et al. 1997).
- `eer`: the rate where the two are equal, linearly interpolated on the ROC; `eer_threshold` says from which score on to
  accept to have it, `accuracy_at` how many decisions are right there.
- `min_dcf`: the least detection cost over all thresholds (NIST SRE).
- `act_dcf`: the detection cost at the Bayes threshold, for LLRs (Brümmer & du Preez 2006).

Each has a form on a `Tally` (`eer_of`, ...), the weights of the trials at each distinct score: sort once, weigh often.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import ArrayLike
from scipy.stats import norm

from voxsphere.core.errors import BadInput


@dataclass(frozen=True)
class Tally:
    """The weight (or plain count) of target and of non-target trials at each distinct score; scores ascend."""

    scores: Float64[np.ndarray, " scores"]
    target: Float64[np.ndarray, " scores"]
    nontarget: Float64[np.ndarray, " scores"]

    @property
    def share(self) -> float:
        """The share of targets in the whole weight."""
        return float(self.target.sum() / (self.target.sum() + self.nontarget.sum()))


@dataclass(frozen=True)
class Ranking:
    """Trials sorted once, to be tallied under many weightings: `target[i]` is the place of trial i in `scores`."""

    scores: Float64[np.ndarray, " scores"]
    target: Int[np.ndarray, " targets"]
    nontarget: Int[np.ndarray, " nontargets"]

    @staticmethod
    def of(target: ArrayLike, nontarget: ArrayLike) -> "Ranking":
        """Rank the scores; `BadInput` where a class is empty or a score is not finite."""
        sides = [_checked(target, "target"), _checked(nontarget, "non-target")]
        scores, places = np.unique(np.concatenate(sides), return_inverse=True)
        return Ranking(scores, places[: len(sides[0])], places[len(sides[0]) :])

    def tally(
        self,
        target_weight: Float64[np.ndarray, " targets"] | None = None,
        nontarget_weight: Float64[np.ndarray, " nontargets"] | None = None,
    ) -> Tally:
        """The tally under weights ≥ 0, not all of them zero in a class (default: all alike)."""
        size = len(self.scores)
        target = np.bincount(self.target, target_weight, minlength=size).astype(np.float64)
        nontarget = np.bincount(self.nontarget, nontarget_weight, minlength=size).astype(np.float64)
        return Tally(self.scores, target, nontarget)


@dataclass(frozen=True)
class Curve:
    """Miss and false-alarm rates at ascending thresholds: from "accept all" (0, 1) to "reject all" (1, 0).

    The last threshold is +inf: above the highest score.
    """

    thresholds: Float64[np.ndarray, " points"]
    miss: Float64[np.ndarray, " points"]
    false_alarm: Float64[np.ndarray, " points"]


def error_rates(target: ArrayLike, nontarget: ArrayLike) -> Curve:
    """Miss and false-alarm rate at each distinct score taken as threshold, and above them all. O(n log n)."""
    return error_rates_of(Ranking.of(target, nontarget).tally())


def error_rates_of(tally: Tally) -> Curve:
    """`error_rates` of weighted trials."""
    missed = np.concatenate([[0.0], np.cumsum(tally.target)])
    # Summed from the top, so that a false-alarm rate of zero is exactly zero; counts are divided last, for exact rates.
    accepted = np.concatenate([np.cumsum(tally.nontarget[::-1])[::-1], [0.0]])
    return Curve(np.concatenate([tally.scores, [np.inf]]), missed / missed[-1], accepted / accepted[0])


def eer(target: ArrayLike, nontarget: ArrayLike) -> float:
    """The equal error rate, a fraction: where the ROC, its points joined by straight lines, meets miss = false alarm.

    One estimator of several in use. The ROC is interpolated between the two neighbouring operating points around the
    crossing; a block of tied scores is one step, so scores that are all alike give 0.5. It depends on the order of
    the scores alone. (The EER of the ROC's convex hull, which is never higher, is another estimator.)
    """
    return eer_of(error_rates(target, nontarget))


def eer_of(curve: Curve) -> float:
    """`eer` of a curve."""
    gap = curve.miss - curve.false_alarm  # from -1 to 1, never falling
    after = int(np.searchsorted(gap, 0.0))
    before = after - 1
    share = -gap[before] / (gap[after] - gap[before])
    return float(curve.miss[before] + share * (curve.miss[after] - curve.miss[before]))


def eer_threshold(target: ArrayLike, nontarget: ArrayLike) -> float:
    """The score from which accepting gives the equal error rate: the lowest with no fewer misses than false alarms.

    It is one of the list's scores: where the rates cross between two, the one that misses more, and where no score
    misses more than it lets in, the highest.
    """
    return eer_threshold_of(error_rates(target, nontarget))


def eer_threshold_of(curve: Curve) -> float:
    """`eer_threshold` of a curve."""
    crossed = int(np.searchsorted(curve.miss - curve.false_alarm, 0.0))
    return float(curve.thresholds[min(crossed, len(curve.thresholds) - 2)])


def accuracy_at(target: ArrayLike, nontarget: ArrayLike, *, threshold: float) -> float:
    """The share of all trials that are decided rightly: target trials of this score or more, and others below it.

    It depends on how many of the trials are targets: compare it on one list only.
    """
    return accuracy_of(Ranking.of(target, nontarget).tally(), threshold=threshold)


def accuracy_of(tally: Tally, *, threshold: float, share: float | None = None) -> float:
    """`accuracy_at` of weighted trials, as if this share were targets (None: the share that weighs as such)."""
    accepted = tally.scores >= threshold
    found = tally.target[accepted].sum() / tally.target.sum()
    refused = tally.nontarget[~accepted].sum() / tally.nontarget.sum()
    targets = tally.share if share is None else share
    return float(targets * found + (1 - targets) * refused)


def min_dcf(target: ArrayLike, nontarget: ArrayLike, *, p_target: float, c_miss: float = 1, c_fa: float = 1) -> float:
    """The least normalised detection cost over all thresholds, in [0, 1].

    min over t of [c_miss p P_miss(t) + c_fa (1-p) P_fa(t)] / min(c_miss p, c_fa (1-p)), as in NIST's SRE plans.
    """
    return min_dcf_of(error_rates(target, nontarget), p_target=p_target, c_miss=c_miss, c_fa=c_fa)


def min_dcf_of(curve: Curve, *, p_target: float, c_miss: float = 1, c_fa: float = 1) -> float:
    """`min_dcf` of a curve."""
    of_miss, of_false_alarm = _costs(p_target, c_miss, c_fa)
    return float(np.min(of_miss * curve.miss + of_false_alarm * curve.false_alarm))


def min_dcf_point(curve: Curve, *, p_target: float, c_miss: float = 1, c_fa: float = 1) -> int:
    """The index of the curve's point where `min_dcf` is reached (the lowest threshold of several)."""
    of_miss, of_false_alarm = _costs(p_target, c_miss, c_fa)
    return int(np.argmin(of_miss * curve.miss + of_false_alarm * curve.false_alarm))


def act_dcf(
    target_llr: ArrayLike, nontarget_llr: ArrayLike, *, p_target: float, c_miss: float = 1, c_fa: float = 1
) -> float:
    """The normalised detection cost of LLRs (nats) at the Bayes threshold log[c_fa (1-p) / (c_miss p)].

    With equal costs the threshold is -logit(p). What it exceeds `min_dcf` by is the price of bad calibration; it may
    be more than 1. Brümmer & du Preez (2006), "Application-independent evaluation of speaker detection".
    """
    tally = Ranking.of(target_llr, nontarget_llr).tally()
    return act_dcf_of(error_rates_of(tally), p_target=p_target, c_miss=c_miss, c_fa=c_fa)


def act_dcf_of(curve: Curve, *, p_target: float, c_miss: float = 1, c_fa: float = 1) -> float:
    """`act_dcf` of a curve over LLRs."""
    of_miss, of_false_alarm = _costs(p_target, c_miss, c_fa)
    miss, false_alarm = rates_at(curve, np.array([bayes_threshold(p_target, c_miss=c_miss, c_fa=c_fa)]))
    return float(of_miss * miss[0] + of_false_alarm * false_alarm[0])


def bayes_threshold(p_target: float, *, c_miss: float = 1, c_fa: float = 1) -> float:
    """The LLR (nats) from which accepting is the cheaper decision: log[c_fa (1-p) / (c_miss p)]."""
    _costs(p_target, c_miss, c_fa)
    return math.log(c_fa * (1 - p_target)) - math.log(c_miss * p_target)


def rates_at(
    curve: Curve, thresholds: Float64[np.ndarray, " thresholds"]
) -> tuple[Float64[np.ndarray, " thresholds"], Float64[np.ndarray, " thresholds"]]:
    """Miss and false-alarm rate at any thresholds (a score equal to the threshold is accepted)."""
    places = np.searchsorted(curve.thresholds, thresholds)
    return curve.miss[places], curve.false_alarm[places]


def det_points(curve: Curve, *, least: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
    """The curve on normal-deviate axes, the DET plot of Martin et al. (1997): probits of (false alarm, miss).

    Rates are clipped to [`least`, 1 - `least`], for zero has no place on these axes.
    """
    false_alarm, miss = (np.clip(rate, least, 1 - least) for rate in (curve.false_alarm, curve.miss))
    return np.asarray(norm.ppf(false_alarm)), np.asarray(norm.ppf(miss))


def _costs(p_target: float, c_miss: float, c_fa: float) -> tuple[float, float]:
    if not (0 < p_target < 1 and 0 < c_miss < math.inf and 0 < c_fa < math.inf):
        raise BadInput(f"a cost needs a prior in (0, 1), costs above 0; not {p_target}, {c_miss}, {c_fa}")
    of_miss, of_false_alarm = c_miss * p_target, c_fa * (1 - p_target)
    least = min(of_miss, of_false_alarm)
    return of_miss / least, of_false_alarm / least


def _checked(scores: ArrayLike, kind: str) -> Float64[np.ndarray, " trials"]:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1:
        raise BadInput(f"the {kind} scores have {array.ndim} axes; give a plain list of scores")
    if array.size == 0:
        raise BadInput(f"there are no {kind} scores; error rates need target and non-target trials")
    if not np.isfinite(array).all():
        raise BadInput(f"{kind} score {int(np.argmin(np.isfinite(array)))} is not a finite number")
    return array
