"""Slow oracles of the metrics: loops over trials and thresholds, in float64, straight from the definitions."""

import math
from itertools import pairwise


def rates(target, nontarget, threshold):
    """Miss and false-alarm rate of one threshold."""
    missed = sum(1 for score in target if score < threshold)
    accepted = sum(1 for score in nontarget if score >= threshold)
    return missed / len(target), accepted / len(nontarget)


def operating_points(target, nontarget):
    """(miss, false alarm) of every threshold that tells scores apart, from accept-all to reject-all."""
    return [rates(target, nontarget, threshold) for threshold in [*sorted({*target, *nontarget}), math.inf]]


def eer(target, nontarget):
    """Walk along the ROC's straight pieces until miss and false alarm cross."""
    points = operating_points(target, nontarget)
    for (miss, alarm), (next_miss, next_alarm) in pairwise(points):
        if next_miss >= next_alarm:
            share = (alarm - miss) / ((alarm - miss) + (next_miss - next_alarm))
            return miss + share * (next_miss - miss)
    raise AssertionError("reject-all has miss 1 and false alarm 0")


def min_dcf(target, nontarget, p, c_miss, c_fa):
    """The least cost over all thresholds."""
    costs = [c_miss * p * miss + c_fa * (1 - p) * alarm for miss, alarm in operating_points(target, nontarget)]
    return min(costs) / min(c_miss * p, c_fa * (1 - p))


def act_dcf(target, nontarget, p, c_miss, c_fa):
    """The cost of Bayes decisions: each trial decided by comparing its two expected costs."""
    missed = sum(1 for llr in target if c_miss * p * math.exp(llr) < c_fa * (1 - p))
    accepted = sum(1 for llr in nontarget if c_miss * p * math.exp(llr) >= c_fa * (1 - p))
    cost = c_miss * p * missed / len(target) + c_fa * (1 - p) * accepted / len(nontarget)
    return cost / min(c_miss * p, c_fa * (1 - p))


def cllr(target, nontarget):
    """Brümmer & du Preez (2006), equation for Cllr, as printed."""
    of_target = sum(math.log2(1 + math.exp(-llr)) for llr in target) / len(target)
    of_nontarget = sum(math.log2(1 + math.exp(llr)) for llr in nontarget) / len(nontarget)
    return (of_target + of_nontarget) / 2


def min_cllr(target, nontarget):
    """Pool adjacent violators by hand, then Cllr of the pooled counts' likelihood ratios."""
    pools = []
    for score in sorted({*target, *nontarget}):
        pools.append([target.count(score), nontarget.count(score)])
        while len(pools) > 1 and pools[-2][0] * sum(pools[-1]) >= pools[-1][0] * sum(pools[-2]):
            last = pools.pop()
            pools[-1] = [pools[-1][0] + last[0], pools[-1][1] + last[1]]
    cost = 0.0
    for t, n in pools:
        if t and n:
            ratio = (t / len(target)) / (n / len(nontarget))
            cost += t / len(target) * math.log2(1 + 1 / ratio) + n / len(nontarget) * math.log2(1 + ratio)
    return cost / 2


def roc_auc(target, nontarget):
    """Every pair of a target and a non-target trial: the target is to be higher, and a tie counts half."""
    pairs = [(t > n) + (t == n) / 2 for t in target for n in nontarget]
    return sum(pairs) / len(pairs)


def average_precision(target, nontarget):
    """For every target trial the share of targets among all that score no lower, and the mean of these."""
    total = 0.0
    for score in target:
        same = sum(1 for other in target if other >= score)
        total += same / (same + sum(1 for other in nontarget if other >= score))
    return total / len(target)


def accuracy(target, nontarget, threshold):
    """Each trial decided by itself."""
    right = sum(1 for score in target if score >= threshold) + sum(1 for score in nontarget if score < threshold)
    return right / (len(target) + len(nontarget))
