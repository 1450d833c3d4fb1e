"""Networks that nobody else has counted have as many parameters as their layers, here written down, add up to."""

import pytest

from voxsphere.zoo import NETWORKS
from voxsphere.zoo.network import count_parameters

BANDS, WIDTH, POOLED = 80, 512, 1500


def layer(in_dim: int, dim: int, kernel: int = 1) -> int:
    """Weights and biases, and scale and shift of a batch norm."""
    return in_dim * dim * kernel + dim + 2 * dim


# Two dense layers on means and deviations.
DENSE = layer(2 * POOLED, WIDTH) + layer(WIDTH, WIDTH)
# Snyder et al. 2018, table 1: contexts of 5, 3, 3, 1 and 1 frames.
XVECTOR_FRAMES = layer(BANDS, WIDTH, 5) + 2 * layer(WIDTH, WIDTH, 3) + layer(WIDTH, WIDTH) + layer(WIDTH, POOLED)
# Snyder et al. 2019: contexts of 5, 3, 3 and 3 frames, a layer of one frame after each, two more, the last wider.
EXTENDED_FRAMES = layer(BANDS, WIDTH, 5) + 3 * layer(WIDTH, WIDTH, 3) + 5 * layer(WIDTH, WIDTH) + layer(WIDTH, POOLED)
# Okabe et al. 2018, equation 3 and section 4.1.2. The k that is added to all scores is left out: the softmax drops it.
ATTENTION = layer(POOLED, 64) + 64


def thin_res2() -> int:
    """Depth 34: convolutions without biases but the first, and the second of a block in groups, one of them idle."""

    def plain(in_dim: int, dim: int, kernel: int) -> int:
        return in_dim * dim * kernel**2 + 2 * dim

    total, channels = plain(1, 16, 5) + 16, 16
    for width, blocks in ((16, 3), (32, 4), (64, 6), (128, 3)):
        total += plain(channels, width, 3) + (blocks - 1) * plain(width, width, 3)
        total += blocks * 7 * plain(width // 8, width // 8, 3)
        total += plain(channels, width, 1) if channels != width else 0
        channels = width
    return total + layer(2 * 4 * channels, 128)  # means and deviations of four bands


SUMS = {
    "xvector-attention": XVECTOR_FRAMES + ATTENTION + DENSE,
    "etdnn-paper": EXTENDED_FRAMES + DENSE,
    "thin-resnet34-res2": thin_res2(),
}


@pytest.mark.parametrize("name", SUMS)
def test_a_network_has_the_parameters_of_its_layers(name):
    assert SUMS[name] == NETWORKS[name].parameters == count_parameters(NETWORKS[name])


def test_every_network_that_is_said_to_be_counted_so_is():
    assert {name for name in NETWORKS if NETWORKS[name].source.startswith("counted")} == set(SUMS)
