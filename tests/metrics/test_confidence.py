"""Tests of the intervals: they cover the truth where speakers differ, and say so where they cannot."""

import numpy as np
import pytest
from scipy.stats import norm

from voxsphere.core.errors import BadInput
from voxsphere.metrics.confidence import bootstrap, no_error_bound, suitable_replicates
from voxsphere.metrics.detection import Tally, eer, eer_of, error_rates_of, rates_at


def figures(tally: Tally) -> np.ndarray:
    curve = error_rates_of(tally)
    miss, false_alarm = rates_at(curve, np.zeros(1))
    return np.array([eer_of(curve), miss[0], false_alarm[0]])


def simulated(rng, speakers=30, sessions=10):
    """Scores in which each speaker is a little easier or harder to accept, and to mistake for another."""
    sheep, lambs = rng.normal(0, 0.8, speakers), rng.normal(0, 0.6, speakers)
    of_target = np.repeat(np.arange(speakers), sessions)
    pairs = np.stack(np.triu_indices(speakers, 1), axis=1)
    target = rng.normal(1.2 + sheep[of_target], 1)
    nontarget = rng.normal(-1.2 + lambs[pairs].sum(axis=1), 1)
    return target, nontarget, of_target, pairs


TARGET_SPREAD, NONTARGET_SPREAD = np.sqrt(1 + 0.8**2), np.sqrt(1 + 2 * 0.6**2)
TRUTH = norm.cdf([-2.4 / (TARGET_SPREAD + NONTARGET_SPREAD), -1.2 / TARGET_SPREAD, -1.2 / NONTARGET_SPREAD])


@pytest.mark.parametrize("speakers", [20, 40])
def test_the_interval_covers_the_truth_about_95_times_in_100(speakers):
    rng = np.random.default_rng(17)
    covered = []
    for trial in range(100):
        found = bootstrap(*simulated(rng, speakers), figures, replicates=200, seed=trial)
        covered.append((found.low <= TRUTH) & (found.high >= TRUTH))
    share = np.mean(covered, axis=0)
    assert ((share >= 0.88) & (share <= 0.99)).all(), share


def test_resampling_trials_instead_of_speakers_would_be_too_sure():
    rng = np.random.default_rng(18)
    by_speaker, by_trial = [], []
    for trial in range(20):
        target, nontarget, of_target, pairs = simulated(rng)
        of_own = np.arange(len(target)), len(target) + np.arange(2 * len(nontarget)).reshape(-1, 2)
        for widths, speakers in ((by_speaker, (of_target, pairs)), (by_trial, of_own)):
            found = bootstrap(target, nontarget, *speakers, figures, replicates=100, seed=trial)
            widths.append(found.high - found.low)
    assert (np.mean(by_speaker, axis=0) > 1.3 * np.mean(by_trial, axis=0)).all()


def test_a_replicate_equals_the_figures_of_the_trials_of_the_drawn_speakers():
    """A slow second way: each replicate's list is written out trial by trial."""
    target, nontarget, of_target, pairs = simulated(np.random.default_rng(19), speakers=6, sessions=3)
    seen = []

    def noted(tally: Tally) -> np.ndarray:
        seen.append(tally)
        return figures(tally)

    bootstrap(target, nontarget, of_target, pairs, noted, replicates=20, seed=4)
    for tally in seen[1:]:
        count = {s: tally.target[np.searchsorted(tally.scores, target[of_target == s][0])] for s in range(6)}
        assert sum(count.values()) == 6
        drawn_target = [x for x, s in zip(target, of_target, strict=True) for _ in range(int(count[s]))]
        drawn_nontarget = [
            x for x, (a, b) in zip(nontarget, pairs, strict=True) for _ in range(int(count[a] * count[b]))
        ]
        assert figures(tally)[0] == pytest.approx(eer(drawn_target, drawn_nontarget), abs=1e-12)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    trials = simulated(np.random.default_rng(20))
    first, again, other = (bootstrap(*trials, figures, replicates=50, seed=seed) for seed in (1, 1, 2))
    assert (first.low == again.low).all()
    assert (first.low != other.low).any()


def test_replicates_without_one_of_the_classes_are_drawn_again_and_counted():
    """Two speakers: half of all draws take one of them twice, and no non-target trial is left."""
    found = bootstrap(
        [1.0, 0.2], [0.0, 0.5], np.array([7, 9]), np.array([[7, 9], [9, 7]]), figures, replicates=200, seed=0
    )
    assert found.speakers == 2
    assert 120 < found.redrawn < 300
    assert found.replicates == 200
    assert np.isfinite(found.low).all()


def test_without_replicates_there_is_no_interval():
    found = bootstrap(*simulated(np.random.default_rng(21)), figures, replicates=0)
    assert (found.low, found.high, found.replicates) == (None, None, 0)
    assert np.isfinite(found.value).all()


def test_contradicting_speakers_are_refused():
    with pytest.raises(BadInput, match="same speaker on both sides"):
        bootstrap([1.0], [0.0, 0.0], np.array([0]), np.array([[0, 1], [1, 1]]), figures)
    with pytest.raises(BadInput, match="its two speakers"):
        bootstrap([1.0], [0.0], np.array([0]), np.array([0, 1]), figures)


def test_no_error_among_n_speakers_bounds_the_rate_that_would_show_none_one_time_in_forty():
    for speakers in (1, 10, 500):
        assert (1 - no_error_bound(speakers)) ** speakers == pytest.approx(0.025)
    assert no_error_bound(500) == pytest.approx(3.69 / 500, rel=0.01)


def test_long_lists_take_fewer_replicates():
    assert [suitable_replicates(n) for n in (1, 10_000, 50_000, 100_000, 10**6)] == [1000, 1000, 1000, 500, 200]
