"""The reference systems' two-dimensional networks."""

from voxsphere.zoo.network import Network

NETWORKS: tuple[Network, ...] = ()
