"""Tests of held-out calibration and of the error table: nobody is scored by a fit that knows them."""

import numpy as np
import pytest

from voxsphere.backend.calibrate import Calibration
from voxsphere.core.errors import BadInput
from voxsphere.evaluate.calibration import cross_validated_llr, fit_error_table
from voxsphere.metrics.confidence import no_error_bound
from voxsphere.metrics.detection import error_rates, rates_at
from voxsphere.metrics.likelihood import cllr


def trials(speakers=60, recordings=6, seed=41):
    """All pairs of recordings of 0.6 to 12 s: score, seconds on both sides, label, speakers on both sides."""
    rng = np.random.default_rng(seed)
    seconds = np.exp(rng.uniform(np.log(0.6), np.log(12), speakers * recordings))
    a, b = np.triu_indices(len(seconds), 1)
    target = a // recordings == b // recordings
    keep = target | (rng.random(len(a)) < 0.2)
    a, b, target = a[keep], b[keep], target[keep]
    score = rng.normal(np.where(target, 0.5, 0.1), 0.12 + 0.1 / np.sqrt(np.minimum(seconds[a], seconds[b])))
    return score, seconds[a], seconds[b], target, a // recordings, b // recordings


def test_exactly_the_trials_inside_one_fold_get_an_llr():
    given = trials()
    llr = cross_validated_llr(*given, folds=5)
    target, kept = given[3], ~np.isnan(llr)
    assert kept[target].all()
    assert 0.1 < kept[~target].mean() < 0.3
    # Two speakers of one fold keep all their common trials, and folds are whole: an equivalence of speakers.
    met = {frozenset(pair) for pair in np.stack([given[4], given[5]], 1)[kept & ~target].tolist()}
    parted = {frozenset(pair) for pair in np.stack([given[4], given[5]], 1)[~kept].tolist()}
    assert not met & parted


def test_a_fold_is_scored_by_the_fit_to_trials_without_its_speakers():
    score, a, b, target, of_a, of_b = trials()
    llr = cross_validated_llr(score, a, b, target, of_a, of_b, folds=3)
    kept = ~np.isnan(llr)
    fold = {0}  # grows to all speakers who share a kept trial with speaker 0
    for left, right in np.stack([of_a, of_b], 1)[kept].tolist() * 2:
        if left in fold or right in fold:
            fold |= {left, right}
    inside_a, inside_b = np.isin(of_a, list(fold)), np.isin(of_b, list(fold))
    train, held = ~inside_a & ~inside_b, inside_a & inside_b
    fitted = Calibration.fit(score[train], a[train], b[train], target[train])
    np.testing.assert_allclose(llr[held], fitted.apply(score[held], a[held], b[held]), atol=1e-9)


def test_held_out_llrs_are_calibrated():
    given = trials()
    llr, target = cross_validated_llr(*given), given[3]
    kept = ~np.isnan(llr)
    direct = Calibration.fit(*given[:4]).apply(*given[:3])
    assert cllr(llr[kept & target], llr[kept & ~target]) < cllr(direct[target], direct[~target]) + 0.03


def test_more_folds_than_speakers_allow_are_refused():
    with pytest.raises(BadInput, match="too few"):
        cross_validated_llr(*trials(speakers=8), folds=5)


@pytest.fixture(scope="module")
def table_and_trials():
    given = trials()
    llr = Calibration.fit(*given[:4]).apply(*given[:3])
    return fit_error_table(llr, *given[1:], replicates=100, provenance="simulated"), llr, given


def test_the_table_holds_the_rates_of_each_bins_own_trials(table_and_trials):
    table, llr, (_, a, b, target, _, _) = table_and_trials
    shorter = np.minimum(a, b)
    assert [each.condition for each in table.bins] == ["0.5 to 1 s", "1 to 2 s", "2 to 4 s", "4 to 8 s", "8 s or more"]
    for each in table.bins:
        inside = (shorter >= each.least) & (shorter < (each.most or np.inf))
        curve = error_rates(llr[inside & target], llr[inside & ~target])
        miss, false_alarm = rates_at(curve, np.array(table.thresholds))
        np.testing.assert_allclose((each.miss, each.false_alarm), (miss, false_alarm), atol=1e-12)
        assert (each.target_trials, each.nontarget_trials) == ((inside & target).sum(), (inside & ~target).sum())


def test_intervals_hold_the_rates_and_are_monotone_in_the_threshold(table_and_trials):
    table, _, _ = table_and_trials
    for each in table.bins:
        for value, low, high, way in (
            (each.miss, each.miss_low, each.miss_high, 1),
            (each.false_alarm, each.false_alarm_low, each.false_alarm_high, -1),
        ):
            assert (np.array(low) <= value).all()
            assert (value <= np.array(high)).all()
            for ends in (low, high):
                assert (np.diff(ends) * way >= 0).all()


def test_a_rate_without_an_error_is_not_called_impossible(table_and_trials):
    table, _, _ = table_and_trials
    long = table.bins[-1]
    assert long.miss[0] == 0
    assert 0 < long.miss_high[0] <= no_error_bound(10)
    assert long.false_alarm[-1] == 0
    assert long.false_alarm_high[-1] > 0


def test_bins_of_few_speakers_and_trials_without_an_llr_are_left_out(table_and_trials):
    _, llr, given = table_and_trials
    shorter = np.minimum(given[1], given[2])
    without = np.where((shorter < 1) & (given[4] > 8), np.nan, llr)
    table = fit_error_table(without, *given[1:], replicates=20)
    assert table.bins[0].condition == "1 to 2 s"
    with pytest.raises(BadInput, match="two or more speakers"):
        fit_error_table(llr, *given[1:], replicates=0)
