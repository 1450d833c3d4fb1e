"""Tests of calibration: against scikit-learn and known LLRs, by laws, and at the limits."""

import json

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.linear_model import LogisticRegression

from voxsphere.backend.calibrate import Calibration, _features, _labels, _loss, duration_measure
from voxsphere.core.errors import BadInput


def gaussian_trials(trials=4000, share=0.2, seed=1):
    """Scores N(±1, 1) of one duration: their LLR is 2 · score."""
    rng = np.random.default_rng(seed)
    target = rng.random(trials) < share
    return rng.normal(np.where(target, 1.0, -1.0), 1.0), np.full(trials, 3.0), np.full(trials, 5.0), target


def trials_of_many_durations(trials=200_000, seed=2):
    """Scores whose separation grows with the duration measure, so that slope and offset both move with it."""
    rng = np.random.default_rng(seed)
    a, b = np.exp(rng.uniform(np.log(0.3), np.log(40), size=(2, trials)))
    target = rng.random(trials) < 0.3
    slope = 20 + 8 * duration_measure(a, b)
    # N(centre ± v/2, v) in LLR units, moved to the score's scale: llr = slope · score - 5 exactly.
    llr = rng.normal(np.where(target, 2.0, -2.0), 2.0)
    return (llr + 5 - 1.5 * duration_measure(a, b)) / slope, a, b, target, llr


def test_fit_equals_scikit_learn_with_class_weights():
    score, a, b, target = gaussian_trials(trials=700)
    weight = np.where(target, 0.5 / target.sum(), 0.5 / (~target).sum())
    theirs = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(score[:, None], target, weight * 1e3)
    ours = Calibration.fit(score, a, b, target, l2=1e-12).apply(score, a, b)
    np.testing.assert_allclose(ours, theirs.decision_function(score[:, None]), atol=1e-4)


def test_fit_equals_scikit_learn_with_duration_features():
    score, a, b, target, _ = trials_of_many_durations(trials=3000)
    g = duration_measure(a, b)
    columns = np.stack([score, score * g, g], axis=1)
    scale = columns.std(axis=0)
    weight = np.where(target, 0.5 / target.sum(), 0.5 / (~target).sum()) * 1e3
    theirs = LogisticRegression(C=np.inf, tol=1e-12, max_iter=2000).fit(columns / scale, target, weight)
    ours = Calibration.fit(score, a, b, target, l2=1e-12).apply(score, a, b)
    np.testing.assert_allclose(ours, theirs.decision_function(columns / scale), atol=2e-3)


def test_fit_finds_the_known_llr_of_gaussian_scores():
    score, a, b, target = gaussian_trials(trials=200_000)
    np.testing.assert_allclose(Calibration.fit(score, a, b, target).apply(score, a, b), 2 * score, atol=0.1)


def test_fit_finds_how_slope_and_offset_move_with_duration():
    score, a, b, target, llr = trials_of_many_durations()
    fitted = Calibration.fit(score, a, b, target)
    found = (fitted.slope, fitted.slope_duration, fitted.offset, fitted.offset_duration)
    np.testing.assert_allclose(found, (20, 8, -5, 1.5), atol=0.3)
    assert np.abs(fitted.apply(score, a, b) - llr).mean() < 0.05


def test_the_gradient_is_exact():
    score, a, b, target, _ = trials_of_many_durations(trials=50)
    features, _, _ = _features(score, a, b)
    sign, weight = _labels(target, None, len(score), 0.2)
    at = np.array([0.7, 1.4, -0.3, 0.5])
    numeric = approx_fprime(at, lambda x: _loss(x, features, sign, weight, -1.1, 0.01)[0], 1e-7)
    np.testing.assert_allclose(_loss(at, features, sign, weight, -1.1, 0.01)[1], numeric, atol=1e-6)


def test_the_balance_of_the_trials_does_not_matter():
    score, a, b, target = gaussian_trials(trials=1000)
    more = np.r_[np.arange(1000), np.tile(np.flatnonzero(~target), 9)]
    once, tenfold = Calibration.fit(score, a, b, target), Calibration.fit(score[more], a[more], b[more], target[more])
    np.testing.assert_allclose(tenfold.apply(score, a, b), once.apply(score, a, b), atol=1e-3)


def test_weights_equal_repeated_trials():
    score, a, b, target = gaussian_trials(trials=300)
    times = np.random.default_rng(3).integers(0, 4, 300)
    repeated = np.repeat(np.arange(300), times)
    by_weight = Calibration.fit(score, a, b, target, weight=times.astype(float), prior=0.2)
    by_repeating = Calibration.fit(score[repeated], a[repeated], b[repeated], target[repeated], prior=0.2)
    np.testing.assert_allclose(by_weight.apply(score, a, b), by_repeating.apply(score, a, b), atol=1e-3)


def test_another_prior_gives_the_same_llr_where_the_model_is_true():
    score, a, b, target = gaussian_trials(trials=200_000)
    np.testing.assert_allclose(Calibration.fit(score, a, b, target, prior=0.05).apply(score, a, b), 2 * score, atol=0.2)


def test_the_llr_rises_with_the_score_at_every_duration():
    score, a, b, target, _ = trials_of_many_durations(trials=2000)
    # Short trials whose scores are the wrong way round would want a falling LLR there.
    short = duration_measure(a, b) < -0.2
    fitted = Calibration.fit(np.where(short, -score, score), a, b, target)
    seconds = np.geomspace(0.1, 100, 50)
    rise = fitted.apply(np.ones(50), seconds, seconds) - fitted.apply(np.zeros(50), seconds, seconds)
    assert (rise > 0).all()


def test_separated_scores_give_finite_numbers():
    seconds = np.full(4, 2.0)
    target = np.array([True, True, False, False])
    llr = Calibration.fit(np.array([0.9, 0.8, 0.2, 0.1]), seconds, seconds, target).apply(
        np.array([0.9, 0.5, 0.1]), seconds[:3], seconds[:3]
    )
    assert np.isfinite(llr).all()
    assert llr[0] > 1
    assert llr[1] == pytest.approx(0, abs=1e-3)
    assert llr[2] < -1


def test_the_duration_measure_is_symmetric_clamped_and_harmonic():
    assert duration_measure([0.5, 30, 1], [0.5, 30, 15]) == pytest.approx([-1, 1, duration_measure(1.875, 1.875)])
    assert duration_measure([0.01, 900], [0.4, 31]) == pytest.approx([-1, 1])
    assert duration_measure([2.0], [7.0]) == duration_measure([7.0], [2.0])
    assert duration_measure(15**0.5, 15**0.5) == pytest.approx(0, abs=1e-15)


def test_json_gives_the_same_calibration_back():
    calibration = Calibration(20.5, -3.25, -7.0, 0.5, provenance="fitted on a list")
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration
    with pytest.raises(BadInput, match="needs slope"):
        Calibration.from_json({"offset": 1, "offset_duration": 0, "slope_duration": 0, "provenance": ""})


@pytest.mark.parametrize("numbers", [(1.0, 1.0, 0.0, 0.0), (-2.0, 0.0, 0.0, 0.0), (np.nan, 0.0, 0.0, 0.0)])
def test_a_calibration_that_does_not_rise_is_refused(numbers):
    with pytest.raises(BadInput, match="calibration"):
        Calibration(*numbers)


def test_useless_training_trials_are_refused():
    score, a, b, target = gaussian_trials(trials=200)
    for change, message in (
        ({"target": np.ones(200, dtype=bool)}, "no non-target"),
        ({"target": np.zeros(200, dtype=bool)}, "no target"),
        ({"score": -score}, "no higher"),
        ({"score": np.ones(200)}, "alike"),
        ({"score": np.where(target, np.nan, score)}, "not a finite"),
        ({"seconds_a": np.full(200, np.nan)}, "speech seconds"),
        ({"weight": np.full(200, -1.0)}, "weight"),
        ({"prior": 1.0}, "prior"),
    ):
        given = {"score": score, "seconds_a": a, "seconds_b": b, "target": target, **change}
        with pytest.raises(BadInput, match=message):
            Calibration.fit(**given)
