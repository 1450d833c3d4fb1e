"""Every published network by its name, one family a file."""

from voxsphere.zoo import convolutional, redimnet, residual, self_supervised, sequence, tdnn
from voxsphere.zoo.network import Network

FAMILIES = (tdnn, convolutional, sequence, residual, redimnet, self_supervised)

NETWORKS: dict[str, Network] = {network.name: network for family in FAMILIES for network in family.NETWORKS}
