"""Score files: exact, labelled, and strict."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials

TRIALS = Trials.from_pairs(["a", "b", "a"], ["b", "c", "c"], [True, False, False])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3))
@pytest.mark.parametrize("ending", [".txt", ".parquet"])
def test_every_digit_survives_the_disk(ending, tmp_path_factory, values):
    path = tmp_path_factory.mktemp("scores") / f"s{ending}"
    Scores(TRIALS, np.array(values), scale="llr", model="abc").save(path)
    again = Scores.load(path)
    assert again.values.tolist() == values
    assert (again.scale, again.model) == ("llr", "abc")
    assert again.trials.target.tolist() == [True, False, False]
    assert again.trials.ids == TRIALS.ids


def test_labels_part_the_scores():
    scores = Scores(TRIALS, np.array([3.0, 1.0, 2.0]))
    assert scores.target_scores.tolist() == [3.0]
    assert scores.nontarget_scores.tolist() == [1.0, 2.0]


def test_other_peoples_files_without_a_header_are_read(tmp_path):
    (tmp_path / "s.txt").write_text("a b 0.5 1\na c -0.5 0\n")
    scores = Scores.load(tmp_path / "s.txt")
    assert scores.target_scores.tolist() == [0.5]
    assert scores.scale == "unknown"


@pytest.mark.parametrize("line", ["a b nan target", "a b inf target", "a b x target", "a b 1", "a b 1 perhaps"])
def test_a_line_that_is_no_score_is_named(tmp_path, line):
    (tmp_path / "s.txt").write_text(f"a b 1.0 target\n{line}\n")
    with pytest.raises(BadInput, match="line 2"):
        Scores.load(tmp_path / "s.txt")


def test_a_damaged_parquet_is_one_line(tmp_path):
    (tmp_path / "s.parquet").write_bytes(b"PAR1 is not enough")
    with pytest.raises(BadInput, match="damaged") as refused:
        Scores.load(tmp_path / "s.parquet")
    assert "\n" not in str(refused.value)
