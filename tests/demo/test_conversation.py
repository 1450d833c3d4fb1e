"""The demonstration, on the real conversation with the real model."""

import pytest

from voxsphere.core.turns import Turn
from voxsphere.demo.conversation import alone, compare_turns
from voxsphere.demo.page import write_page


def test_only_the_parts_where_one_person_speaks_are_kept():
    turns = (Turn("f", 0.0, 5.0, "a"), Turn("f", 2.0, 0.5, "b"), Turn("f", 4.5, 2.0, "b"), Turn("f", 8.0, 0.9, "a"))
    assert alone(turns) == (Turn("f", 0.0, 2.0, "a"), Turn("f", 2.5, 2.0, "a"), Turn("f", 5.0, 1.5, "b"))


@pytest.mark.pretrained
def test_the_model_hears_who_is_who(campplus, tmp_path):
    compared = compare_turns("campplus-zh-en")
    assert len(compared.turns) == 6
    same = [pair.verdict.score for pair in compared.pairs if pair.same]
    different = [pair.verdict.score for pair in compared.pairs if not pair.same]
    assert sum(same) / len(same) > sum(different) / len(different) + 0.2
    assert compared.right >= 13  # of 15; which turns are short enough to err is the model's affair
    write_page(compared, tmp_path / "demo.html")
    text = (tmp_path / "demo.html").read_text()
    assert text.count("<audio") == 6
    assert "http://" not in text
    assert "<script" not in text
