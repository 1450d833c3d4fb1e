"""Tests of the results: right figures, right speakers, refusals."""

import json

import numpy as np
import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials
from voxsphere.evaluate.results import evaluate
from voxsphere.evaluate.speakers import FROM_LABELS, FROM_TARGETS, speakers_of
from voxsphere.metrics.confidence import no_error_bound
from voxsphere.metrics.detection import accuracy_at, act_dcf, eer, eer_threshold, min_dcf
from voxsphere.metrics.likelihood import cllr, min_cllr
from voxsphere.metrics.ranking import average_precision, roc_auc


def some_scores(scale="llr", speakers=12, apart=2.0, spread=1.5):
    """All pairs of three recordings each of some speakers."""
    rng = np.random.default_rng(31)
    ids = tuple(f"{s}-{u}" for s in range(speakers) for u in range(3))
    enrol, test = np.triu_indices(len(ids), 1)
    target = enrol // 3 == test // 3
    values = rng.normal(np.where(target, apart, -apart), spread)
    return Scores(Trials(ids, enrol, test, target), values, scale=scale, model="m")


def by_label(scores):
    return {name: name.split("-")[0] for name in scores.trials.ids}


def test_the_figures_are_those_of_the_metrics():
    scores = some_scores()
    sides = scores.target_scores, scores.nontarget_scores
    found = evaluate(scores, replicates=20)
    assert found.eer.value == eer(*sides)
    assert found.threshold.value == eer_threshold(*sides)
    assert found.accuracy.value == accuracy_at(*sides, threshold=eer_threshold(*sides))
    assert found.min_cllr.value == min_cllr(*sides)
    assert (found.roc_auc.value, found.average_precision.value) == (roc_auc(*sides), average_precision(*sides))
    assert found.cllr is not None
    assert found.cllr.value == cllr(*sides)
    assert [each.value for each in found.min_dcf] == [min_dcf(*sides, p_target=p) for p in (0.01, 0.001)]
    assert found.act_dcf is not None
    assert [each.value for each in found.act_dcf] == [act_dcf(*sides, p_target=p) for p in (0.01, 0.001)]
    assert (found.trials, found.targets, found.nontargets, found.speakers) == (630, 36, 594, 12)


def test_every_figure_carries_an_interval_around_it():
    for figure in evaluate(some_scores(apart=5.0, spread=4.0), replicates=200).figures:
        assert figure.interval is not None
        low, high = figure.interval
        assert low < high
        assert low >= 0 or figure.unit == "score"
        # The minimum over thresholds is biased in a replicate, so the ends of minDCF may pass it by a little.
        assert low - 0.1 <= figure.value <= high + 0.1


def test_of_few_speakers_precision_is_not_made_better_by_drawing_them_twice():
    """Whoever is drawn twice brings twice the target trials, and fewer others: the share of targets must not rise."""
    random = np.random.default_rng(5)
    ids = tuple(f"{i % 4}/{i}" for i in range(40))
    enrol, test = np.triu_indices(40, 1)
    trials = Trials(ids, enrol, test, enrol % 4 == test % 4)
    found = evaluate(Scores(trials, random.normal(size=len(enrol))), replicates=200)
    low, high = found.average_precision.interval
    assert low < found.average_precision.value < high
    assert low + high == pytest.approx(2 * found.average_precision.value, abs=0.06)


def test_cosine_scores_have_no_figures_of_llrs():
    found = evaluate(some_scores("cosine"), replicates=20)
    assert (found.act_dcf, found.cllr) == (None, None)
    decided, areas = ["EER", "EER threshold", "accuracy there"], ["ROC AUC", "average precision"]
    costs = ["minDCF (p=0.01)", "minDCF (p=0.001)", "min Cllr"]
    assert [each.name for each in found.figures] == [*decided, *costs, *areas]
    assert found.to_json()["act_dcf"] is None


def test_json_has_the_agreed_keys_and_is_json():
    content = json.loads(json.dumps(evaluate(some_scores(), replicates=20).to_json(), allow_nan=False))
    assert {"eer", "eer_interval", "min_dcf", "act_dcf", "cllr", "min_cllr", "counts"} <= set(content)
    added = {"eer_threshold", "accuracy", "roc_auc", "average_precision"}
    assert added | {f"{name}_interval" for name in added} <= set(content)
    assert set(content["min_dcf"]) == {"0.01", "0.001"}
    assert content["counts"] == {"trials": 630, "targets": 36, "nontargets": 594, "speakers": 12}


def test_speakers_are_read_off_the_list_where_no_labels_are_given():
    scores = some_scores()
    read, told = evaluate(scores, replicates=50), evaluate(scores, speaker_of=by_label(scores), replicates=50)
    assert (read.speakers_from, told.speakers_from) == (FROM_TARGETS, FROM_LABELS)
    assert read.speakers == told.speakers == 12
    assert read.figures[0].value == told.figures[0].value


def test_target_trials_join_recordings_through_others():
    trials = Trials.from_pairs(["a", "b", "c", "a"], ["b", "c", "d", "x"], [True, True, True, False])
    enrol, test, _ = speakers_of(trials, None)
    assert len({*enrol.tolist(), *test[:3].tolist()}) == 1
    assert test[3] != enrol[3]


def test_separated_scores_get_the_exact_bound_instead_of_a_blind_interval():
    found = evaluate(some_scores(apart=50.0), replicates=20)
    assert (found.eer.value, found.eer.interval) == (0, (0, no_error_bound(12)))
    assert found.min_dcf[0].interval == (0, 1)
    rate = no_error_bound(12)
    entropy = -(rate * np.log2(rate) + (1 - rate) * np.log2(1 - rate))
    assert found.min_cllr.interval == pytest.approx((0, entropy))
    assert (found.accuracy.value, found.accuracy.interval) == (1, pytest.approx((1 - rate, 1)))
    assert (found.roc_auc.value, found.roc_auc.interval) == (1, pytest.approx(((1 - rate) ** 2, 1)))
    assert (found.average_precision.value, found.average_precision.interval) == (1, None)


def test_without_replicates_there_is_no_interval_and_two_speakers_are_enough_for_one():
    assert evaluate(some_scores(), replicates=0).eer.interval is None
    assert evaluate(some_scores(speakers=2), replicates=20).eer.interval is not None


def test_lists_that_cannot_be_evaluated_are_refused():
    pairs = ["a", "b"], ["b", "c"]
    for labels, message in ((None, "not labelled"), ([True, True], "no non-target"), ([False, False], "no target")):
        with pytest.raises(BadInput, match=message):
            evaluate(Scores(Trials.from_pairs(*pairs, labels), np.array([1.0, 0.0])))


def test_contradicting_labels_are_named():
    pairs = ["a", "b", "a"], ["b", "c", "c"]
    contradicting = Scores(Trials.from_pairs(*pairs, [True, True, False]), np.zeros(3))
    with pytest.raises(BadInput, match=r"trial 3 \(a and c\) is labelled non-target, but they are one speaker"):
        evaluate(contradicting)
    scores = Scores(Trials.from_pairs(*pairs, [True, False, False]), np.zeros(3))
    with pytest.raises(BadInput, match=r"trial 1 \(a and b\) is labelled target, but they are two speakers"):
        evaluate(scores, speaker_of={"a": "1", "b": "2", "c": "3"})
    with pytest.raises(BadInput, match="b: has no speaker label"):
        evaluate(scores, speaker_of={"a": "1", "b": "", "c": "3"})
