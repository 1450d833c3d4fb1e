"""Tests of scoring trials from stored embeddings."""

import statistics
import time

import numpy as np
import pytest

from voxsphere.backend.calibrate import Calibration
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.trials import Trials
from voxsphere.evaluate.scoring import calibrated, score
from voxsphere.metrics.detection import eer_of, error_rates, min_dcf_of


def three(seconds=None):
    vectors = np.array([[1, 0], [1, 1], [0, 2]], dtype=np.float32)
    return Embeddings(("a", "b", "c"), vectors, model="m", seconds=seconds)


TRIALS = Trials.from_pairs(["c", "a", "b"], ["a", "b", "c"], [False, True, True])


def test_each_trial_gets_the_cosine_of_its_own_two_embeddings():
    scores = score(TRIALS, three())
    np.testing.assert_allclose(scores.values, [0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-7)
    assert (scores.scale, scores.model, scores.trials) == ("cosine", "m", TRIALS)


def test_a_missing_or_silent_utterance_is_named():
    with pytest.raises(BadInput, match="absent"):
        score(Trials.from_pairs(["a"], ["absent"]), three())
    silent = Embeddings(("a", "silent"), np.array([[1, 0], [0, 0]], dtype=np.float32), model="m", seconds=None)
    with pytest.raises(BadInput, match="silent: its embedding is zero"):
        score(Trials.from_pairs(["a"], ["silent"]), silent)


def test_calibrated_scores_are_llrs_of_each_trials_own_seconds():
    embeddings = three(np.array([1.0, 4.0, 20.0], dtype=np.float32))
    calibration = Calibration(20.0, 5.0, -8.0, 1.0)
    cosines = score(TRIALS, embeddings)
    llr = calibrated(cosines, embeddings, calibration)
    expected = calibration.apply(cosines.values, np.array([20.0, 1.0, 4.0]), np.array([1.0, 4.0, 20.0]))
    np.testing.assert_allclose(llr.values, expected)
    assert (llr.scale, llr.model) == ("llr", "m")
    with pytest.raises(BadInput, match="takes cosine scores"):
        calibrated(llr, embeddings, calibration)
    with pytest.raises(BadInput, match="do not say their seconds"):
        calibrated(score(TRIALS, three()), three(), calibration)


@pytest.mark.slow
def test_a_million_trials_are_scored_and_measured_in_seconds():
    """Cosine of stored embeddings, EER and two minDCF: 0.4 s on one core where written; the bound is generous."""
    rng = np.random.default_rng(23)
    centre = rng.normal(size=(500, 192))
    vectors = (np.repeat(centre, 10, axis=0) + 2.5 * rng.normal(size=(5000, 192))).astype(np.float32)
    embeddings = Embeddings(tuple(f"utterance {i}" for i in range(5000)), vectors, model="m", seconds=None)
    enrol = rng.integers(0, 5000, 1_000_000)
    test = np.where(rng.random(1_000_000) < 0.1, enrol // 10 * 10 + rng.integers(0, 10, 1_000_000), enrol[::-1])
    trials = Trials(embeddings.ids, enrol, test, enrol // 10 == test // 10)
    took = []
    for _ in range(3):
        start = time.perf_counter()
        scores = score(trials, embeddings)
        curve = error_rates(scores.target_scores, scores.nontarget_scores)
        figures = [eer_of(curve), *(min_dcf_of(curve, p_target=prior) for prior in (0.01, 0.001))]
        took.append(time.perf_counter() - start)
    print(f"a million trials: median {statistics.median(took):.2f} s, EER {100 * figures[0]:.2f} %")
    assert 0 < figures[0] < 0.2
    assert statistics.median(took) <= 5
