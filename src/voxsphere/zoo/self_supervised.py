"""Networks over self-supervised front ends."""

from voxsphere.zoo.network import Network

NETWORKS: tuple[Network, ...] = ()
