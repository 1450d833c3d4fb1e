"""Closed-set figures against slow loops, and the laws they keep."""

import numpy as np
import pytest

from voxsphere.core.errors import BadInput
from voxsphere.metrics.identification import confusion, decisions, log_loss, share_interval, top_k


@pytest.fixture
def scores():
    return np.random.default_rng(0).normal(size=(40, 7)).round(1)  # rounded: there are ties


@pytest.fixture
def speaker():
    return np.random.default_rng(1).integers(0, 7, 40)


@pytest.mark.parametrize("k", [1, 2, 5, 7])
def test_top_k_counts_who_is_as_likely_or_likelier(scores, speaker, k):
    for row, true, right in zip(scores, speaker, top_k(scores, speaker, k), strict=True):
        others = [value for i, value in enumerate(row) if i != true and value >= row[true]]
        assert right == (len(others) < k)


def test_scores_that_are_all_alike_are_never_right():
    assert not top_k(np.zeros((3, 6)), np.arange(3), 5).any()
    assert top_k(np.zeros((3, 6)), np.arange(3), 6).all()


def test_the_decision_is_the_first_of_the_likeliest():
    assert decisions(np.array([[0.0, 2.0, 2.0], [1.0, 0.0, -1.0]])).tolist() == [1, 0]


def test_confusion_counts_rows_of_the_true_and_columns_of_the_said():
    said, true = np.array([0, 2, 2, 1]), np.array([0, 0, 2, 2])
    assert confusion(said, true, 3).tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 1]]


def test_log_loss_is_the_mean_of_what_the_true_speaker_got(scores, speaker):
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    assert log_loss(logs, speaker) == pytest.approx(-np.mean([row[s] for row, s in zip(logs, speaker, strict=True)]))


def test_log_loss_is_of_the_posterior_given_all_parts(scores, speaker):
    """Bayes: of equally likely speakers and independent parts, it is the product of their posteriors, made to sum to 1.

    Four parts that say the same make the posterior's fourth power, and no more than that: a part that says nothing, as
    likely as it is of anybody, changes nothing.
    """
    posterior = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    product = posterior**4 / (posterior**4).sum(1, keepdims=True)
    wanted = -np.log(product[np.arange(40), speaker]).mean()
    assert log_loss(4 * np.log(posterior), speaker) == pytest.approx(wanted)
    assert log_loss(4 * np.log(posterior) + np.log(1 / 7), speaker) == pytest.approx(wanted)


def test_the_interval_resamples_speakers_with_all_they_said():
    random = np.random.default_rng(2)
    speaker = np.repeat(np.arange(200), 4)
    ability = random.uniform(size=200) < 0.7  # a speaker is always right, or never
    low, high = share_interval(ability[speaker], speaker)
    spread = np.sqrt(0.7 * 0.3 / 200)  # of 200 speakers, not of 800 utterances
    assert (high - low) / (2 * 1.96) == pytest.approx(spread, rel=0.15)
    assert low < ability.mean() < high


def test_one_speaker_has_no_interval():
    assert share_interval([True, False], np.array([3, 3])) is None


@pytest.mark.parametrize(
    ("scores", "speaker", "k", "words"),
    [
        (np.zeros((2, 3)), np.array([0, 3]), 1, "from 0 to 2"),
        (np.zeros((2, 3)), np.array([0]), 1, "needs a speaker"),
        (np.zeros((2, 3)), np.array([0, 1]), 0, "top 0"),
        (np.array([[np.nan, 0.0]]), np.array([0]), 1, "finite"),
        (np.zeros(3), np.array([0]), 1, "axes"),
    ],
)
def test_what_cannot_be_counted_is_refused(scores, speaker, k, words):
    with pytest.raises(BadInput, match=words):
        top_k(scores, speaker, k)
