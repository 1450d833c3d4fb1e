"""Quality of likelihood ratios: how much of the information in the trials do the LLRs deliver?

Conventions
-----------
- LLRs are natural logarithms (nats) of p(score | same speaker) / p(score | different speakers); target LLRs first.
- Results are in bits per trial at a prior of one half: 0 is perfect, 1 is what LLRs of zero ("I do not know") give;
  confident wrong LLRs cost without limit.

Metrics
-------
- `cllr`: the cost of the LLRs as they are (Brümmer & du Preez 2006, "Application-independent evaluation of speaker
  detection", Computer Speech and Language 20).
- `min_cllr`: what would be left after the best monotone recalibration, found on these same trials (PAV). The
  difference is what calibration loses; `min_cllr` alone measures discrimination, and takes any score.
"""

import math

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression
from scipy.special import xlogy

from voxsphere.metrics.detection import Ranking, Tally


def cllr(target_llr: ArrayLike, nontarget_llr: ArrayLike) -> float:
    """½ mean log2(1 + e^-llr) over targets + ½ mean log2(1 + e^llr) over non-targets, in bits."""
    return cllr_of(Ranking.of(target_llr, nontarget_llr).tally())


def cllr_of(tally: Tally) -> float:
    """`cllr` of weighted trials."""
    of_nontarget = np.logaddexp(0.0, tally.scores)
    of_target = of_nontarget - tally.scores  # log(1 + e^-x) = log(1 + e^x) - x
    # Where x is large the difference of two large numbers would lose the small result.
    large = tally.scores > 30
    of_target[large] = np.exp(-tally.scores[large])
    target, nontarget = tally.target / tally.target.sum(), tally.nontarget / tally.nontarget.sum()
    return float((target @ of_target + nontarget @ of_nontarget) / (2 * math.log(2)))


def min_cllr(target: ArrayLike, nontarget: ArrayLike) -> float:
    """`cllr` after the best monotone map of the scores, in bits, in [0, 1]; 0 for perfectly separated scores."""
    return min_cllr_of(Ranking.of(target, nontarget).tally())


def min_cllr_of(tally: Tally) -> float:
    """`min_cllr` of weighted trials."""
    heard = tally.target + tally.nontarget > 0
    target, nontarget = tally.target[heard] / tally.target.sum(), tally.nontarget[heard] / tally.nontarget.sum()
    posterior = pav(target, nontarget)
    # With each class's weights summing to 1 the posterior is at a prior of ½, so log(1 + e^-llr) = -log posterior.
    # A posterior of 0 or 1 is only given where the other class has no weight: 0 log 0 = 0.
    loss = xlogy(target, posterior).sum() + xlogy(nontarget, 1 - posterior).sum()
    return max(0.0, float(-loss / (2 * math.log(2))))


def pav(
    target: Float64[np.ndarray, " scores"], nontarget: Float64[np.ndarray, " scores"]
) -> Float64[np.ndarray, " scores"]:
    """The never-falling share of targets that fits best, by pool-adjacent-violators; weights at ascending scores.

    Zadrozny & Elkan (2002), "Transforming classifier scores into accurate multiclass probability estimates". Every
    score needs some weight.
    """
    weight = target + nontarget
    return np.asarray(isotonic_regression(target / weight, weights=weight).x)
