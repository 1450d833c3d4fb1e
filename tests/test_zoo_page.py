"""docs/zoo.md says what was measured, of every network there is."""

import pytest
from studies.zoo import PAGE, STORED, _page, heading, measure

from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, read_text
from voxsphere.zoo import FAMILIES, NETWORKS


def test_the_zoo_page_is_made_of_what_was_measured():
    assert read_text(PAGE) == "\n".join(_page()) + "\n", "run `python -m studies.zoo page`"


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_measured(name):
    assert set(read_json(STORED)[name]) == {"macs_per_second", "receptive_field", "real_time_factor"}


def test_each_family_has_a_heading_of_one_line():
    headings = [heading(family) for family in FAMILIES]
    assert "ReDimNet and ReDimNet2" in headings
    assert all(text and "\n" not in text for text in headings)


def test_a_network_that_does_not_exist_is_told_with_those_that_do():
    with pytest.raises(BadInput, match="did you mean 'ecapa-512'"):
        measure(["ecapa-521"])
