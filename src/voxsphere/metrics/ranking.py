"""How well scores put target trials above non-target ones, with no threshold: areas under two curves.

Conventions are those of `metrics.detection`. Each has a form on a `Tally`, for weighted trials.
"""

import numpy as np
from numpy.typing import ArrayLike

from voxsphere.metrics.detection import Ranking, Tally


def roc_auc(target: ArrayLike, nontarget: ArrayLike) -> float:
    """The area under the ROC: how often a target trial scores higher than a non-target one, half of the ties counted.

    Hanley & McNeil 1982, "The meaning and use of the area under a receiver operating characteristic curve". It lies in
    [0, 1]; 0.5 is not listening.
    """
    return roc_auc_of(Ranking.of(target, nontarget).tally())


def roc_auc_of(tally: Tally) -> float:
    """`roc_auc` of weighted trials: a pair of trials weighs the product of their weights."""
    below = np.cumsum(tally.nontarget) - tally.nontarget / 2
    return float((tally.target * below).sum() / (tally.target.sum() * tally.nontarget.sum()))


def average_precision(target: ArrayLike, nontarget: ArrayLike) -> float:
    """The mean, over target trials, of the precision at each one's score: what share of those that score no lower are
    target trials.

    Σ (R_n − R_{n−1}) P_n over descending thresholds, without interpolation, as scikit-learn has it. It depends on how
    many of the trials are targets, which is what not listening gives: compare it on one list only.
    """
    return average_precision_of(Ranking.of(target, nontarget).tally())


def average_precision_of(tally: Tally, *, share: float | None = None) -> float:
    """`average_precision` of weighted trials, as if this share were targets (None: the share that weighs as such)."""
    found, mistaken = tally.target[::-1].cumsum(), tally.nontarget[::-1].cumsum()
    if share is not None:
        mistaken *= found[-1] / mistaken[-1] * (1 - share) / share
    accepted = found + mistaken
    # At scores that no weight is left of nothing new is found, and precision may be 0/0.
    precision = np.divide(found, accepted, out=np.zeros_like(found), where=accepted > 0)
    return float((tally.target[::-1] * precision).sum() / found[-1])
