"""Tests of Cllr and min Cllr: against the printed equation, a hand-made PAV and scikit-learn, and by laws."""

import numpy as np
import oracle_metrics as slow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from voxsphere.metrics.detection import Ranking
from voxsphere.metrics.likelihood import cllr, min_cllr, min_cllr_of, pav

score_lists = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


def test_cllr_equals_the_printed_equation(scores):
    assert cllr(*scores) == pytest.approx(slow.cllr(*scores), rel=1e-12)


def test_min_cllr_equals_pooling_by_hand(scores):
    target, nontarget = (list(side) for side in scores)
    assert min_cllr(target, nontarget) == pytest.approx(slow.min_cllr(target, nontarget), abs=1e-12)


def test_pav_equals_scikit_learn(scores):
    tally = Ranking.of(*scores).tally()
    weight = tally.target + tally.nontarget
    theirs = IsotonicRegression().fit_transform(tally.scores, tally.target / weight, sample_weight=weight)
    np.testing.assert_allclose(pav(tally.target, tally.nontarget), theirs, atol=1e-12)


def test_cllr_stays_exact_for_very_large_llrs():
    assert cllr([700.0], [-700.0]) == pytest.approx(np.exp(-700) / np.log(2), rel=1e-9)
    assert cllr([-700.0], [700.0]) == pytest.approx(700 / np.log(2), rel=1e-12)
    assert cllr([40.0], [-1e4]) == pytest.approx(np.exp(-40) / np.log(4), rel=1e-9)


def test_llrs_of_zero_cost_one_bit_and_tied_scores_hold_no_information():
    assert cllr([0.0, 0.0], [0.0]) == pytest.approx(1, abs=1e-15)
    assert min_cllr([3.0, 3.0], [3.0]) == pytest.approx(1, abs=1e-15)


def test_min_cllr_of_separated_scores_is_zero():
    assert min_cllr([1.0, 2.0, 9.0], [0.0, -1.0]) == 0


@given(score_lists, score_lists)
def test_calibration_can_only_cost(target, nontarget):
    least = min_cllr(target, nontarget)
    assert 0 <= least <= 1 + 1e-12
    assert cllr(target, nontarget) >= least - 1e-12


@given(score_lists, score_lists)
def test_min_cllr_ignores_monotone_warps_of_the_scores(target, nontarget):
    assert min_cllr(np.exp(target), np.exp(nontarget)) == pytest.approx(min_cllr(target, nontarget), abs=1e-12)


@given(score_lists, score_lists, st.integers(0, 4))
def test_integer_weights_equal_repeated_trials_and_zero_leaves_one_out(target, nontarget, times):
    weights = np.r_[float(times), np.ones(len(target))]
    weighted = Ranking.of([4.5, *target], nontarget).tally(weights, np.ones(len(nontarget)))
    assert min_cllr_of(weighted) == pytest.approx(min_cllr([4.5] * times + target, nontarget), abs=1e-12)


def test_cllr_of_well_calibrated_gaussian_llrs_has_nothing_to_gain():
    """LLRs distributed N(±v/2, v) are their own LLRs, so PAV finds (almost) nothing to mend."""
    rng = np.random.default_rng(7)
    target, nontarget = rng.normal(4, np.sqrt(8), 100_000), rng.normal(-4, np.sqrt(8), 100_000)
    lost = cllr(target, nontarget) - min_cllr(target, nontarget)
    assert 0 <= lost < 2e-3
