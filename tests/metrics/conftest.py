"""Scores that the tests of the metrics share."""

import numpy as np
import pytest


@pytest.fixture(params=["apart", "overlapping", "tied", "hopeless", "few"])
def scores(request):
    """Target and non-target scores of very different kinds."""
    rng = np.random.default_rng(20060101)
    kinds = {
        "apart": (rng.normal(6, 1, 40), rng.normal(-6, 1, 90)),
        "overlapping": (rng.normal(1, 2, 60), rng.normal(-1, 1, 130)),
        "tied": (rng.integers(-1, 4, 50).astype(float), rng.integers(-3, 2, 70).astype(float)),
        "hopeless": (rng.normal(-1, 1, 50), rng.normal(1, 1, 60)),
        "few": (np.array([0.5, 2.0]), np.array([0.5, -1.0, 1.0])),
    }
    return kinds[request.param]
