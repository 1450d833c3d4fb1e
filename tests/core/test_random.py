"""Named streams."""

from voxsphere.core.random import stream


def test_a_name_gives_the_same_numbers_for_ever():
    assert stream("crop", 7).integers(0, 1000, 3).tolist() == stream("crop", 7).integers(0, 1000, 3).tolist()
    assert stream("crop", 7).integers(0, 10**9) == 701808370


def test_other_names_give_other_numbers():
    drawn = {stream(*names).integers(0, 10**9) for names in [("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", 2)]}
    assert len(drawn) == 6
