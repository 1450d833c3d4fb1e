"""The networks known by name are what was published."""

import numpy as np
import pytest
from seeded import filled
from small import class_of

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.parts import describe, rebuild
from voxsphere.zoo import FAMILIES, NETWORKS, self_supervised
from voxsphere.zoo.network import Network, count_parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_published_number_of_parameters(name):
    assert count_parameters(NETWORKS[name]) == NETWORKS[name].parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_can_be_saved_as_a_recipe(name):
    description = describe(NETWORKS[name].model)
    assert describe(rebuild(description, CATALOGUE)) == description


def test_no_two_networks_have_one_name():
    assert len(NETWORKS) == sum(len(family.NETWORKS) for family in FAMILIES)


def smallest() -> dict[str, Network]:
    """The smallest network of each encoder, by its name.

    Those over self-supervised front ends have hundreds of millions of parameters; tests/audio/test_self_supervised.py
    and the contract of all models run tiny ones.
    """
    found: dict[str, Network] = {}
    for network in sorted(NETWORKS.values(), key=lambda each: each.parameters, reverse=True):
        if network not in self_supervised.NETWORKS:
            found[class_of(network.model.keywords["encoder"]).__name__] = network
    return found


def voice(pitch: float, rate: int) -> np.ndarray:
    """A second of a falling pitch's harmonics in noise."""
    time = np.arange(rate) / rate
    tones = sum(np.sin(2 * np.pi * k * pitch * (time - 0.1 * time**2)) / k for k in range(1, 12))
    noise = np.random.default_rng(round(pitch)).standard_normal(rate)
    return (0.1 * tones + 0.01 * noise).astype(np.float32)


@pytest.mark.parametrize("network", smallest().values(), ids=lambda network: network.name)
def test_the_smallest_network_of_each_encoder_tells_two_voices_apart(network):
    model = filled(network.model())
    one, other = model.embed([voice(pitch, model.sample_rate) for pitch in (110.0, 190.0)])
    assert one.shape == (model.dim,)
    assert np.isfinite(one).all()
    assert np.isfinite(other).all()
    # An untrained LSTM of three layers says little of what it hears; rounding is a thousandth of this.
    assert np.linalg.norm(one - other) > 1e-4 * np.linalg.norm(one)
