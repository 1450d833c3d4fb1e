"""Tests of the areas, and of the threshold of the EER: against slow loops, scikit-learn, and laws."""

import math

import numpy as np
import oracle_metrics as slow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from voxsphere.metrics.detection import Ranking, accuracy_at, accuracy_of, eer_threshold, error_rates, rates_at
from voxsphere.metrics.ranking import average_precision, average_precision_of, roc_auc, roc_auc_of

score_lists = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


def labelled(target, nontarget):
    return np.r_[np.ones(len(target)), np.zeros(len(nontarget))], np.r_[target, nontarget]


def test_areas_equal_slow_loops_and_scikit_learn(scores):
    target, nontarget = scores
    assert roc_auc(target, nontarget) == pytest.approx(slow.roc_auc(target, nontarget), abs=1e-12)
    assert roc_auc(target, nontarget) == pytest.approx(roc_auc_score(*labelled(target, nontarget)), abs=1e-12)
    precision = average_precision(target, nontarget)
    assert precision == pytest.approx(slow.average_precision(target, nontarget), abs=1e-12)
    assert precision == pytest.approx(average_precision_score(*labelled(target, nontarget)), abs=1e-12)


@given(score_lists, score_lists)
def test_swapped_sides_turn_the_area_round(target, nontarget):
    assert roc_auc(target, nontarget) + roc_auc(nontarget, target) == pytest.approx(1)
    assert roc_auc(target, nontarget) == roc_auc(np.exp(target), np.exp(nontarget))


@given(score_lists, score_lists, st.integers(2, 4))
def test_a_weight_is_that_many_trials(target, nontarget, times):
    of = Ranking.of(target, nontarget)
    weights = np.arange(len(target)) % 3 * 1.0, np.full(len(nontarget), float(times))
    if not weights[0].any():
        weights[0][:] = 1
    tally = of.tally(*weights)
    repeated = np.repeat(target, weights[0].astype(int)), np.repeat(nontarget, times)
    assert roc_auc_of(tally) == pytest.approx(roc_auc(*repeated))
    assert average_precision_of(tally) == pytest.approx(average_precision(*repeated))
    assert accuracy_of(tally, threshold=0.5) == pytest.approx(accuracy_at(*repeated, threshold=0.5))


def test_figures_of_another_share_of_targets_are_those_of_a_list_that_has_it():
    target, nontarget = [0.9, 0.4, 0.6], [0.5, 0.1, 0.6, 0.2]
    tally = Ranking.of(target, nontarget).tally()
    thrice = (3 * target, nontarget)
    assert average_precision_of(tally, share=9 / 13) == pytest.approx(average_precision(*thrice))
    assert accuracy_of(tally, threshold=0.5, share=9 / 13) == pytest.approx(accuracy_at(*thrice, threshold=0.5))
    for share in (tally.share, None):
        assert average_precision_of(tally, share=share) == pytest.approx(average_precision(target, nontarget))


def test_from_the_threshold_of_the_eer_misses_are_no_fewer_than_false_alarms(scores):
    target, nontarget = scores
    found = eer_threshold(target, nontarget)
    assert found in {*target, *nontarget}
    lower = [score for score in {*target, *nontarget} if score < found]
    for score in lower:
        miss, alarm = slow.rates(target, nontarget, score)
        assert miss < alarm
    miss, alarm = slow.rates(target, nontarget, found)
    assert miss >= alarm or found == max(*target, *nontarget)


@given(score_lists, score_lists)
def test_the_accuracy_is_what_the_error_rates_leave(target, nontarget):
    threshold = eer_threshold(target, nontarget)
    miss, alarm = (side[0] for side in rates_at(error_rates(target, nontarget), np.array([threshold])))
    right = (1 - miss) * len(target) + (1 - alarm) * len(nontarget)
    expected = right / (len(target) + len(nontarget))
    assert accuracy_at(target, nontarget, threshold=threshold) == pytest.approx(expected)
    assert expected == pytest.approx(slow.accuracy(target, nontarget, threshold))


def test_the_limits():
    assert roc_auc([2, 3], [0, 1]) == average_precision([2, 3], [0, 1]) == 1
    assert eer_threshold([2, 3], [0, 1]) == 2  # the lowest that lets nobody else in
    assert accuracy_at([2, 3], [0, 1], threshold=2) == 1
    assert roc_auc([1], [1]) == 0.5
    assert eer_threshold([1, 1], [1]) == 1
    assert math.isclose(average_precision([1, 1], [1]), 2 / 3)
