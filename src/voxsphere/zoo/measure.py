"""What a network costs and how far it sees, found out by running it."""

import copy
import math

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from voxsphere.models.speaker import SpeakerModel

_FEW, _MANY = 400, 3200
"""Frames that are tried: most networks see fewer than the first at once, the deepest fewer than the second."""

_APART = 20160
"""A difference of lengths that every usual stride divides."""


def macs_per_second(model: SpeakerModel, *, seconds: float = 3.0) -> float:
    """Multiply-accumulates that embedding a second of speech takes, in an utterance of `seconds`.

    Counted are matrix products and convolutions (PyTorch's flop counter), from the wave on, but not Fourier transforms.
    Runs on the meta device: nothing is computed.
    """
    shape = copy.deepcopy(model).to("meta").eval()
    wave = torch.empty(1, round(seconds * model.sample_rate), device="meta")
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        shape(wave)
    return counter.get_total_flops() / 2 / seconds


def receptive_field(model: SpeakerModel) -> int | None:
    """How many frames of features one frame of the encoder depends on; None for the whole utterance.

    Undefined numbers are put into one frame of the features, and those outputs counted that become undefined. With a
    stride of s, one output's field is the sum of these counts over s neighbouring frames.
    """
    encoder, stride = model.encoder, _stride(model)
    for frames in (_FEW, _MANY):
        clean = torch.zeros(1, frames, model.features.dim)
        with torch.inference_mode():
            spoilt = [_spoilt(encoder(_with_hole(clean, frames // 2 + i))) for i in range(stride)]
        if not any(hit[0] or hit[-1] for hit in spoilt):
            return sum(int(hit.sum()) for hit in spoilt)
    return None


def _stride(model: SpeakerModel) -> int:
    """How many frames of features lie between two of the encoder's, found out from the shapes alone."""
    shape = copy.deepcopy(model).to("meta").encoder
    with torch.inference_mode():
        short, long = (
            shape(torch.empty(1, frames, model.features.dim, device="meta")).shape[-1]
            for frames in (_MANY, _MANY + _APART)
        )
    return round(_APART / (long - short))


def _with_hole(features: Tensor, frame: int) -> Tensor:
    holed = features.clone()
    holed[:, frame] = math.nan
    return holed


def _spoilt(frames: Tensor) -> Tensor:
    return frames.isnan().any(1)[0]
