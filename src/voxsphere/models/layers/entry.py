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
