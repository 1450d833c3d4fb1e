"""A published network: how it is built, who published it, and how many parameters it has."""

from dataclasses import dataclass
from functools import partial

import torch

from voxsphere.models.speaker import SpeakerModel


@dataclass(frozen=True)
class Network:
    """A network with a name; `model()` builds it untrained, front end included and without a classification head.

    `parameters` is the number of trainable parameters, and `source` who counted them: a paper, or an implementation at
    a commit. `systems` are the reference systems that use it. `peer` is the implementation, with its version, that has
    the same outputs as our encoder, pooling and last layer, together, under the same weights (of fewer channels,
    mostly) and over the same features, or without the parts it names; empty where nothing was compared. Front ends, and
    what tunes them, are compared by themselves.
    """

    name: str
    model: "partial[SpeakerModel]"
    paper: str
    parameters: int
    source: str
    systems: tuple[str, ...] = ()
    peer: str = ""


def count_parameters(network: Network) -> int:
    """The trainable parameters of the network as it is built, without taking memory for them."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in network.model().parameters() if parameter.requires_grad)
