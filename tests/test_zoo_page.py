"""docs/zoo.md says what was measured, of every network there is."""

import pytest
from studies.zoo import PAGE, STORED, _page

from voxsphere.core.files import read_json, read_text
from voxsphere.zoo import NETWORKS


def test_the_zoo_page_is_made_of_what_was_measured():
    assert read_text(PAGE) == "\n".join(_page()) + "\n", "run `python -m studies.zoo page`"


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_measured(name):
    assert set(read_json(STORED)[name]) == {"macs_per_second", "receptive_field", "real_time_factor"}
