"""Tests of the error rates: against slow oracles, by laws, and at the limits."""

import math

import numpy as np
import oracle_metrics as slow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import det_curve

from voxsphere.core.errors import BadInput
from voxsphere.metrics.detection import (
    Ranking,
    act_dcf,
    bayes_threshold,
    det_points,
    eer,
    eer_of,
    error_rates,
    error_rates_of,
    min_dcf,
    min_dcf_point,
    rates_at,
)

COSTS = [(0.01, 1, 1), (0.001, 1, 1), (0.5, 1, 1), (0.01, 10, 1), (0.9, 1, 3)]
score_lists = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


def test_error_rates_equal_counting_at_every_threshold(scores):
    target, nontarget = scores
    curve = error_rates(target, nontarget)
    expected = [slow.rates(target, nontarget, threshold) for threshold in curve.thresholds]
    assert list(zip(curve.miss, curve.false_alarm, strict=True)) == expected
    assert (curve.miss[0], curve.false_alarm[0]) == (0, 1)
    assert (curve.miss[-1], curve.false_alarm[-1]) == (1, 0)


def test_error_rates_equal_scikit_learn(scores):
    target, nontarget = scores
    labels = np.r_[np.ones(len(target)), np.zeros(len(nontarget))]
    false_alarm, miss, thresholds = det_curve(labels, np.r_[target, nontarget])
    finite = np.isfinite(thresholds)
    ours = rates_at(error_rates(target, nontarget), thresholds[finite])
    np.testing.assert_allclose(ours, [miss[finite], false_alarm[finite]], atol=1e-12)


def test_eer_equals_a_walk_along_the_roc(scores):
    assert eer(*scores) == pytest.approx(slow.eer(*scores), abs=1e-12)


@pytest.mark.parametrize(("p", "c_miss", "c_fa"), COSTS)
def test_min_dcf_equals_the_search_over_all_thresholds(scores, p, c_miss, c_fa):
    ours = min_dcf(*scores, p_target=p, c_miss=c_miss, c_fa=c_fa)
    assert ours == pytest.approx(slow.min_dcf(*scores, p, c_miss, c_fa), abs=1e-12)
    curve = error_rates(*scores)
    place = min_dcf_point(curve, p_target=p, c_miss=c_miss, c_fa=c_fa)
    cost = c_miss * p * curve.miss[place] + c_fa * (1 - p) * curve.false_alarm[place]
    assert cost / min(c_miss * p, c_fa * (1 - p)) == pytest.approx(ours, abs=1e-12)


@pytest.mark.parametrize(("p", "c_miss", "c_fa"), COSTS)
def test_act_dcf_equals_deciding_each_trial_by_its_expected_costs(scores, p, c_miss, c_fa):
    # Shifted by an odd amount, for at an exact tie of both costs rounding would decide.
    target, nontarget = scores[0] + 0.0123, scores[1] + 0.0123
    ours = act_dcf(target, nontarget, p_target=p, c_miss=c_miss, c_fa=c_fa)
    assert ours == pytest.approx(slow.act_dcf(target, nontarget, p, c_miss, c_fa), abs=1e-12)


def test_the_bayes_threshold_is_minus_logit_of_the_prior_and_is_accepted():
    assert bayes_threshold(0.01) == pytest.approx(-math.log(0.01 / 0.99), abs=1e-12)
    at = bayes_threshold(0.01)
    assert act_dcf([at], [np.nextafter(at, -1)], p_target=0.01) == 0
    assert act_dcf([np.nextafter(at, -1)], [at], p_target=0.01) == pytest.approx(1 + 0.99 / 0.01)


@pytest.mark.parametrize("warp", [lambda s: 3 * s + 7, lambda s: np.exp(s / 4), np.cbrt])
def test_eer_ignores_monotone_warps_of_the_scores(scores, warp):
    target, nontarget = scores
    assert eer(warp(target), warp(nontarget)) == eer(target, nontarget)


@given(score_lists, score_lists)
def test_eer_is_the_same_when_the_classes_are_swapped_and_the_scores_turned(target, nontarget):
    turned = eer([-score for score in nontarget], [-score for score in target])
    assert eer(target, nontarget) == pytest.approx(turned, abs=1e-12)


@given(score_lists, score_lists, st.floats(0.001, 0.999))
def test_costs_are_in_order(target, nontarget, p):
    least = min_dcf(target, nontarget, p_target=p)
    assert 0 <= least <= 1
    assert act_dcf(target, nontarget, p_target=p) >= least - 1e-12


@given(score_lists, score_lists, st.integers(1, 4), st.integers(1, 4))
def test_integer_weights_equal_repeated_trials(target, nontarget, t, n):
    weighted = Ranking.of(target, nontarget).tally(
        np.r_[float(t), np.ones(len(target) - 1)], np.r_[float(n), np.ones(len(nontarget) - 1)]
    )
    repeated = eer(target[:1] * t + target[1:], nontarget[:1] * n + nontarget[1:])
    assert eer_of(error_rates_of(weighted)) == pytest.approx(repeated, abs=1e-12)


def test_separated_scores_have_no_error_and_tied_scores_no_information():
    assert eer([1.0, 2.0], [0.0, -1.0]) == 0
    assert min_dcf([1.0, 2.0], [0.0, -1.0], p_target=0.01) == 0
    assert eer([1.0, 1.0, 1.0], [1.0]) == 0.5
    assert min_dcf([1.0, 1.0, 1.0], [1.0], p_target=0.01) == 1
    assert eer([0.0], [1.0]) == 1


def test_eer_of_two_gaussians_is_the_known_one():
    """Equal variances, means d apart: EER = Φ(-d/2)."""
    rng = np.random.default_rng(5)
    ours = eer(rng.normal(3, 1, 400_000), rng.normal(0, 1, 400_000))
    assert ours == pytest.approx(0.5 * math.erfc(1.5 / math.sqrt(2)), abs=5e-4)


def test_the_det_curve_of_two_gaussians_is_a_straight_line_of_slope_minus_one():
    rng = np.random.default_rng(6)
    x, y = det_points(error_rates(rng.normal(2, 1, 100_000), rng.normal(0, 1, 100_000)))
    middle = (np.abs(x) < 2) & (np.abs(y) < 2)
    slope, offset = np.polyfit(x[middle], y[middle], 1)
    assert (slope, offset) == (pytest.approx(-1, abs=0.02), pytest.approx(-2, abs=0.02))
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()


@pytest.mark.parametrize(
    ("target", "nontarget", "message"),
    [
        ([], [1.0], "no target scores"),
        ([1.0], [], "no non-target scores"),
        ([1.0, np.nan], [0.0], "target score 1 is not"),
        ([1.0], [np.inf], "non-target score 0 is not"),
        ([[1.0]], [0.0], "2 axes"),
    ],
)
def test_unusable_scores_are_refused(target, nontarget, message):
    with pytest.raises(BadInput, match=message):
        eer(target, nontarget)


@pytest.mark.parametrize("options", [{"p_target": 0}, {"p_target": 1}, {"p_target": 0.1, "c_fa": 0}])
def test_impossible_costs_are_refused(options):
    with pytest.raises(BadInput, match="a cost needs"):
        min_dcf([1.0], [0.0], **options)
