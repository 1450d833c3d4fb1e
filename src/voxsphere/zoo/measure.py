"""What a network costs and how far it sees, found out by running it."""

import copy
import math
from bisect import bisect_left
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from voxsphere.audio.self_supervised import SelfSupervised
from voxsphere.models.speaker import SpeakerModel

_TRIED = (400, 1600, 3200)
"""Frames that are tried: most networks see fewer than the first at once, the deepest fewer than the second."""


def macs_per_second(model: SpeakerModel, *, seconds: float = 3.0) -> float:
    """Multiply-accumulates that embedding a second of speech takes, in an utterance of `seconds`.

    Counted are matrix products and convolutions (PyTorch's flop counter), from the wave on, but not Fourier transforms.
    Runs on the meta device: nothing is computed.
    """
    shape = copy.deepcopy(model).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shape(model.zeros(seconds).to("meta"))
    return float(counter.get_total_flops() / 2 / seconds)


def receptive_field(model: SpeakerModel) -> int | None:
    """How many frames of features one frame of the encoder depends on, first to last; None for the whole utterance.

    None, too, over a self-supervised front end, each of whose frames has attended to all others. Front ends that only
    normalise over the utterance count as its frames do.

    Where the features from some frame on, or up to some frame, are undefined numbers, the encoder's middle frame is
    defined just as long as it depends on none of them; halving finds the two ends.
    """
    if any(isinstance(part, SelfSupervised) for part in model.modules()):
        return None
    still = copy.deepcopy(model).requires_grad_(False)
    for frames in _TRIED:
        if all(_defined(still, frames, edge) for edge in (slice(0, 1), slice(frames - 1, None))):
            first, last = _ends(still, frames)
            return last - first + 1
    return None


def _ends(model: SpeakerModel, frames: int) -> tuple[int, int]:
    """The first and the last of so many frames of features on which the encoder's middle frame depends."""
    last = _first(lambda beginning: _defined(model, frames, slice(beginning, None)), frames) - 1
    spared = _first(lambda count: _defined(model, frames, slice(0, frames - count)), frames)
    return frames - spared, last


def _first(holds: Callable[[int], bool], most: int) -> int:
    """The least number up to `most` for which something holds that holds for all greater ones."""
    return bisect_left(range(most), True, key=holds)


def _defined(model: SpeakerModel, frames: int, undefined: slice) -> bool:
    features = torch.zeros(1, frames, model.features.dim)
    features[:, undefined] = math.nan
    # Gradients are not switched off: in a network's faster paths of evaluation, tiles spread what is undefined.
    outputs = model.encoder(features)
    return not bool(outputs[0, :, outputs.shape[-1] // 2].isnan().any())
