"""What every encoder asks of the frames it is given."""

import torch
from jaxtyping import Float
from torch import Tensor

from voxsphere.core.errors import BadInput


def refuse_half(tensor: Tensor, what: str) -> None:
    """Raise `BadInput` for fp16 on a CPU, whose kernels lack it or are far slower; `what` is fp16 opens its line."""
    if tensor.dtype == torch.float16 and tensor.device.type == "cpu":
        raise BadInput(f"{what} fp16, which needs a GPU; on a CPU take bf16 or fp32: .bfloat16() or .float()")


def bands(
    features: Float[Tensor, "batch frames in_dim"], in_dim: int, *, shortest: int = 1
) -> Float[Tensor, "batch in_dim frames"]:
    """The features in the convolutions' order, if they are `in_dim` wide and at least `shortest` frames long.

    Raises `BadInput` otherwise, for a batch of none, and for half precision on a CPU.
    """
    if features.ndim != 3 or features.shape[0] == 0:
        raise BadInput(
            f"features of shape {tuple(features.shape)}; a network takes a batch of one utterance or more, "
            "as (batch, frames, features)"
        )
    if features.shape[-1] != in_dim:
        raise BadInput(f"the network was built for {in_dim} features a frame, these have {features.shape[-1]}")
    if features.shape[1] < shortest:
        raise BadInput(
            f"{features.shape[1]} frames are too few: the network looks at {shortest} at once; record more, or repeat"
        )
    refuse_half(features, "the features are")
    return features.transpose(1, 2)


def image(
    features: Float[Tensor, "batch frames in_dim"], in_dim: int, channels: int = 1
) -> Float[Tensor, "batch channels rows frames"]:
    """The features as an image, checked as by `bands`, in the memory order in which 2-D convolutions are fastest.

    Its `channels` lie behind one another in the features, as `Deltas` stacks them: [static, Δ, ΔΔ] is `channels=3`.
    The order is channels last, but for training on a CPU, where the gradients of the weights would take nearly twice
    as long.
    """
    rows = bands(features, in_dim)
    planes = rows.view(rows.shape[0], channels, in_dim // channels, rows.shape[2])
    training = planes.device.type == "cpu" and torch.is_grad_enabled()
    return planes.contiguous(memory_format=torch.contiguous_format if training else torch.channels_last)


def rows_of(in_dim: int, channels: int) -> int:
    """How many rows the image of so many features has; `BadInput` where they are not `channels` of equal size."""
    if channels < 1 or in_dim % channels:
        raise BadInput(f"{in_dim} features are not {channels} channels of equal size; channels=3 is for deltas")
    return in_dim // channels
