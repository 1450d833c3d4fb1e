"""When a run stops: Keras's rule by a loop, and laws."""

import math

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream
from voxsphere.train.schedule import Progress, Stopping


def keras_stops(figures: list[float], patience: int, least: float) -> int | None:
    """When Keras's EarlyStopping would stop: how many figures it had seen."""
    best, wait = math.inf, 0
    for n, figure in enumerate(figures, start=1):
        wait += 1
        if figure < best - least:
            best, wait = figure, 0
        if wait >= patience:
            return n
    return None


@pytest.mark.parametrize("seed", range(20))
def test_a_run_stops_when_kerass_would(seed):
    random = stream("stopping", seed)
    figures = (0.2 * random.normal(size=40).cumsum() + 5 * 0.98 ** random.integers(0, 40)).tolist()
    found = Stopping(patience=4, minimum_improvement=0.05)
    stops = [n for n in range(41) if found(Progress(n, 1000, 1, tuple(figures[:n]), tuple(range(1, n + 1))))]
    wanted = keras_stops(figures, 4, 0.05)
    assert stops == ([] if wanted is None else list(range(wanted, 41)))
    assert wanted is not None


def test_a_run_that_improves_each_time_is_never_stopped():
    figures = tuple(1 / (n + 1) for n in range(100))
    assert not Stopping(patience=1)(Progress(100, 1000, 1, figures, tuple(range(1, 101))))


def test_figures_before_the_first_epoch_that_counts_stop_nothing():
    figures, steps = (1.0, 2.0, 2.0, 2.0), (10, 20, 30, 40)
    at = Progress(40, 1000, 10, figures, steps)
    assert Stopping(patience=3)(at)
    assert not Stopping(patience=3, from_epoch=2)(at)


def test_a_relative_improvement_is_a_share_of_the_best():
    at = Progress(3, 1000, 1, (100.0, 95.0, 91.0), (1, 2, 3))
    assert Stopping(patience=2, minimum_improvement=0.1, relative=True)(at)
    assert not Stopping(patience=2, minimum_improvement=0.08, relative=True)(at)


def test_a_run_without_patience_is_refused():
    with pytest.raises(BadInput, match="one figure or more"):
        Stopping(patience=0)
