"""The networks known by name are what was published."""

import pytest

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.parts import describe, rebuild
from voxsphere.zoo import FAMILIES, NETWORKS
from voxsphere.zoo.network import count_parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_published_number_of_parameters(name):
    assert count_parameters(NETWORKS[name]) == NETWORKS[name].parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_can_be_saved_as_a_recipe(name):
    description = describe(NETWORKS[name].model)
    assert describe(rebuild(description, CATALOGUE)) == description


def test_no_two_networks_have_one_name():
    assert len(NETWORKS) == sum(len(family.NETWORKS) for family in FAMILIES)
