"""ReDimNet and ReDimNet2."""

from voxsphere.zoo.network import Network

NETWORKS: tuple[Network, ...] = ()
