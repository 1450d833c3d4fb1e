"""SpeakerVerifiaction-pytorch's networks (Define_Model/TDNN): its names and forms of weights, and ours.

Its checkpoints tell neither the network nor the features that they belong to, so none can be imported.
"""

import math
from collections.abc import Mapping

from torch import Tensor

from voxsphere.pretrained.foreign.renaming import Rules, converted, renamed


def tdnn() -> Rules:
    """TDNN_v2, v4, v5 and v6, which count their layers from 1, into `Tdnn` and `TwoLayer`; the classifier is left."""
    return [
        (r"^frame(\d)\.(kernel\.tdnn_bn|bn)\.", lambda m: f"encoder.layers.{int(m[1]) - 1}.norm."),
        (r"^frame(\d)\.(kernel\.0|kernel|tdnn_layer)\.", lambda m: f"encoder.layers.{int(m[1]) - 1}.conv."),
        (r"^segment([67])\.(\d)\.", lambda m: f"projection.layers.{3 * (int(m[1]) - 6) + int(m[2])}."),
        (r"^classifier\..*", ""),
    ]


def tdnn_state(state: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], *, where: str) -> dict[str, Tensor]:
    """The state of `SpeakerModel(…, Tdnn, StatsPooling, TwoLayer)` out of any of the four; `BadInput` as `converted`.

    TDNN_v2 unfolds the frames and holds matrices [channels, context · bands]; TDNN_v4 holds 2-D kernels
    [channels, 1, context, bands]; TDNN_v5 and v6 hold ours, [channels, bands, context].
    """
    rules = tdnn()
    turned = {}
    for theirs, value in state.items():
        shape = tuple(shapes.get(renamed(theirs, rules), ()))
        if len(shape) == 3 and value.ndim in (2, 4) and value.numel() == math.prod(shape):
            value = value.reshape(shape[0], shape[2], shape[1]).transpose(1, 2)
        turned[theirs] = value
    return converted(turned, rules, shapes, where=where)
