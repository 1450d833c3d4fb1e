"""How long a batch's examples are: what was asked for, drawn evenly, and never a stretch of nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream
from voxsphere.data.examples import Crops, Whole

durations = st.lists(st.floats(0.01, 100), min_size=1, max_size=20)


@given(length=st.floats(0.01, 100), known=st.lists(st.none() | st.floats(0.01, 100), max_size=5))
def test_a_fixed_length_is_given_as_it_stands_and_draws_nothing(length, known):
    random, untouched = stream("fixed"), stream("fixed")
    assert Crops(length=length).seconds(known, random) == length == Crops(length=length).longest
    assert random.random() == untouched.random()


def test_a_drawn_length_lies_evenly_between_its_ends_in_hundredths():
    crops = Crops(length=(2.0, 4.0))
    random = stream("lengths")
    drawn = np.array([crops.seconds([None], random) for _ in range(4000)])
    assert (drawn.min(), drawn.max(), crops.longest) == (2.0, 4.0, 4.0)
    assert np.array_equal(drawn, np.round(drawn, 2))
    # The largest distance between the drawn and the even distribution: Kolmogorov's bound at one in a million.
    even = (np.sort(drawn) - 2.0) / 2.0
    assert np.abs(even - np.linspace(0, 1, len(even))).max() < 2.7 / np.sqrt(len(even)) + 0.005


def test_with_a_step_lengths_are_on_a_grid_that_holds_both_ends():
    crops = Crops(length=(2.01, 4.01), step=0.2)
    random = stream("grid")
    drawn = {round(crops.seconds([None], random), 6) for _ in range(400)}
    assert drawn == {round(2.01 + 0.2 * i, 6) for i in range(11)}
    assert {Crops(length=(1.0, 1.5), step=0.3).seconds([None], random) for _ in range(50)} == {1.0, 1.3}
    with pytest.raises(BadInput, match="cannot differ by"):
        Crops(step=-0.1)


@pytest.mark.parametrize("length", [0.0, -1.0, (0.0, 2.0), (3.0, 2.0), float("nan"), (1.0, float("nan"))])
def test_lengths_that_are_none_are_refused(length):
    with pytest.raises(BadInput, match="crops cannot last"):
        Crops(length=length)


@given(durations)
def test_a_batch_of_whole_utterances_is_as_long_as_the_longest(known):
    seconds = Whole(most=1000.0).seconds(known, stream("whole"))
    assert max(known) - 1e-9 <= seconds <= max(known) + 0.1 + 1e-9
    assert round(10 * seconds) == pytest.approx(10 * seconds)


@given(durations, st.floats(0.1, 50))
def test_a_batch_of_whole_utterances_is_never_longer_than_allowed(known, most):
    whole = Whole(most=most)
    assert whole.seconds(known, stream("whole")) <= most == whole.longest


def test_whole_utterances_need_their_durations():
    with pytest.raises(BadInput, match="need durations in the manifest; `voxsphere check --out` writes them"):
        Whole().seconds([1.0, None], stream("whole"))


def test_whole_utterances_of_no_length_are_refused():
    with pytest.raises(BadInput, match="cannot last 0"):
        Whole(most=0)
