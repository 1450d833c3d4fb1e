"""RTTM: strict in, exact out."""

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.turns import Turn, Turns


def test_turns_survive_the_disk(tmp_path):
    turns = Turns((Turn("a", 0.0, 1.25, "x"), Turn("a", 1.0, 0.5, "y"), Turn("b", 3.125, 2.0, "x")))
    turns.save(tmp_path / "t.rttm")
    assert Turns.load(tmp_path / "t.rttm") == turns
    assert turns.speakers == ("x", "y")


@pytest.mark.parametrize(
    "line",
    [
        "SPEAKER a 1 0.0 1.0 <NA> <NA>",
        "SPEAKER a 1 zero 1.0 <NA> <NA> x <NA> <NA>",
        "SPEAKER a 1 0.0 -1.0 <NA> <NA> x <NA> <NA>",
        "SPEAKER a 1 nan 1.0 <NA> <NA> x <NA> <NA>",
        "TALKER a 1 0.0 1.0 <NA> <NA> x <NA> <NA>",
    ],
)
def test_a_line_that_is_no_turn_is_named(tmp_path, line):
    (tmp_path / "t.rttm").write_text(f"SPEAKER a 1 0.0 1.0 <NA> <NA> x <NA> <NA>\n{line}\n")
    with pytest.raises(BadInput, match="line 2"):
        Turns.load(tmp_path / "t.rttm")
