"""What is said of ReDimNet's sizes beside the published ones is so."""

import pytest
import torch

from voxsphere.zoo import NETWORKS, redimnet
from voxsphere.zoo.measure import macs_per_second

ROWS = [line.strip("|").split("|") for line in (redimnet.__doc__ or "").splitlines() if line.startswith("| B")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_the_table_has_our_sizes(row):
    name, _, millions, _, gigas = (cell.strip() for cell in row)
    network = NETWORKS[f"redimnet-{name.lower()}"]
    assert f"{network.parameters / 1e6:.2f}" == millions
    with torch.device("meta"):
        model = network.model()
    assert f"{2 * macs_per_second(model, seconds=2.0) / 1e9:.2f}" == gigas


def test_the_table_has_every_size():
    assert [f"redimnet-{row[0].strip().lower()}" for row in ROWS] == [n for n in NETWORKS if n.startswith("redimnet-")]


def test_b5_has_as_many_numbers_as_the_published_file():
    with torch.device("meta"):
        state = NETWORKS["redimnet-b5"].model().state_dict()
    window, preemphasis, filters, share_of_one = 400, 2, 257 * 72, 1
    numbers = sum(value.numel() for value in state.values())
    assert numbers + window + preemphasis + filters + share_of_one == 7_709_351
