"""Every published network by its name, one family a file."""

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import nearest
from voxsphere.zoo import convolutional, redimnet, residual, self_supervised, sequence, tdnn
from voxsphere.zoo.network import Network

FAMILIES = (tdnn, convolutional, sequence, residual, redimnet, self_supervised)

NETWORKS: dict[str, Network] = {network.name: network for family in FAMILIES for network in family.NETWORKS}


def named(name: str) -> Network:
    """The network of this name; `BadInput` lists those there are."""
    if name not in NETWORKS:
        raise BadInput(f"no network named {name!r}{nearest(name, NETWORKS)}")
    return NETWORKS[name]
