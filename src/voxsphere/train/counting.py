"""Front ends that ask for statistics of the training data before the first step."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from voxsphere.audio.normalisation import GlobalNorm
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.core.random import stream
from voxsphere.data.source import source_of
from voxsphere.models.speaker import SpeakerModel

UTTERANCES, SECONDS = 4000, 10.0
"""So many utterances, drawn, and so much of each, are counted: some seconds, and digits enough."""


def count(model: SpeakerModel, data: Manifest) -> bool:
    """Let each `GlobalNorm` of the model that is to be `counted` see the data; whether there was one.

    Always the same utterances are drawn, whatever the recipe's seed, so that runs of several seeds see one front end.
    """
    norms = [module for module in model.features.modules() if _asks(module)]  # type: ignore[attr-defined]
    for norm in reversed(norms):  # what wraps another one sees its numbers
        norm.fit(_inputs(model, data, norm.mean.device))
    return bool(norms)


def _asks(module: object) -> bool:
    return isinstance(module, GlobalNorm) and module.counted != "no"


def _inputs(model: SpeakerModel, data: Manifest, device: torch.device) -> Iterator[Tensor]:
    source = source_of(model)
    for row in stream("statistics of the data").permutation(len(data))[:UTTERANCES]:
        try:
            held = source.beginning(data.utterances[int(row)], SECONDS)
        except BadInput:  # the loader names and counts broken files
            continue
        if len(held) >= model.shortest:
            yield torch.from_numpy(np.ascontiguousarray(held))[None].to(device)
