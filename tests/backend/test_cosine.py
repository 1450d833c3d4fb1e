"""Tests of the cosine scores."""

import math

import numpy as np
import pytest

from voxsphere.backend.cosine import cosine
from voxsphere.core.errors import BadInput

RNG = np.random.default_rng(11)


def test_cosine_equals_a_loop_over_trials():
    vectors = RNG.normal(size=(30, 7)).astype(np.float32)
    enrol, test = RNG.integers(0, 30, 3000), RNG.integers(0, 30, 3000)
    slow = []
    for i, j in zip(enrol, test, strict=True):
        a, b = vectors[i].astype(float), vectors[j].astype(float)
        slow.append(math.fsum(a * b) / math.sqrt(math.fsum(a * a) * math.fsum(b * b)))
    np.testing.assert_allclose(cosine(vectors, enrol, test), slow, atol=1e-6)
    np.testing.assert_allclose(cosine(vectors.astype(float), enrol, test), slow, atol=1e-14)


def test_cosine_ignores_length_and_is_symmetric():
    vectors = RNG.normal(size=(10, 5)).astype(np.float32)
    enrol, test = np.arange(5), np.arange(5, 10)
    longer = vectors * RNG.uniform(0.1, 1e4, size=(10, 1)).astype(np.float32)
    np.testing.assert_allclose(cosine(longer, enrol, test), cosine(vectors, test, enrol), atol=1e-6)


def test_a_vector_with_itself_scores_one_and_with_its_opposite_minus_one():
    vector = RNG.normal(size=192).astype(np.float32)
    scores = cosine(np.stack([vector, -vector]), np.array([0, 0]), np.array([0, 1]))
    np.testing.assert_allclose(scores, [1, -1], atol=1e-6)
    assert np.abs(scores).max() <= 1


def test_no_trials_give_no_scores():
    nothing = np.zeros(0, dtype=int)
    assert cosine(np.ones((2, 3)), nothing, nothing).shape == (0,)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_a_row_without_direction_is_named(bad):
    vectors = np.ones((3, 4), dtype=np.float32)
    vectors[1] = bad
    with pytest.raises(BadInput, match="row 1"):
        cosine(vectors, np.array([0]), np.array([1]))
    with pytest.raises(BadInput, match=r"b\.wav"):
        cosine(vectors, np.array([1]), np.array([0]), names=["a.wav", "b.wav", "c.wav"])


def test_a_row_without_direction_that_no_trial_asks_for_does_no_harm():
    vectors = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(cosine(vectors, np.array([0]), np.array([2])), [math.sqrt(0.5)])


@pytest.mark.parametrize("trial", [([0], [3]), ([-1], [0]), ([0, 1], [0])])
def test_trials_that_do_not_fit_the_embeddings_are_refused(trial):
    with pytest.raises(BadInput, match="trial"):
        cosine(np.ones((3, 2)), np.array(trial[0]), np.array(trial[1]))
