"""Whoever is said to have the same outputs as a network was compared with it: a golden of the same parts is there."""

import re
from pathlib import Path

import pytest
from presets import REFERENCES
from small import class_of

from voxsphere.zoo import NETWORKS

GOLDENS = Path(__file__).parents[1] / "goldens" / "models"
PEERS = [name for name, network in NETWORKS.items() if network.peer]


def parts(model) -> tuple[object, object, object]:
    """The classes of encoder, pooling and last layer."""
    encoder, pooling, last = (class_of(model.keywords[part]) for part in ("encoder", "pooling", "projection"))
    return encoder, pooling, last


# tests/models/test_references.py compares these with the goldens of their names, tests/pretrained/test_known.py the
# last.
COMPARED = {parts(model) for model in REFERENCES.values()} | {parts(NETWORKS["ge2e-lstm"].model)}


@pytest.mark.parametrize("name", PEERS)
def test_a_network_with_a_peer_was_compared_in_all_parts_but_those_left_out(name):
    encoder, pooling, last = parts(NETWORKS[name].model)
    if NETWORKS[name].peer.endswith(", without its pooling"):
        assert (encoder, last) in {(theirs, their_last) for theirs, _, their_last in COMPARED}
        assert (encoder, pooling, last) not in COMPARED
    else:
        assert (encoder, pooling, last) in COMPARED


@pytest.mark.parametrize("name", PEERS)
def test_a_script_that_makes_goldens_names_the_peer_and_its_version(name):
    project, version = re.fullmatch(r"(.+?)(?: at)? ([0-9a-f]{7}|\d+\.\d+\.\d+).*", NETWORKS[name].peer).groups()
    scripts = [script.read_text(encoding="utf-8").lower() for script in GOLDENS.glob("make_*.py")]
    assert [script for script in scripts if project.lower() in script and version in script]
