"""What a weight per frame means to every pooling."""

import torch
from jaxtyping import Float
from torch import Tensor

from voxsphere.core.errors import BadInput


def kept(
    frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None, in_dim: int
) -> Float[Tensor, "batch in_dim frames"]:
    """The frames, with 0 in those of weight 0: what they held, even NaN, reaches neither sums nor gradients.

    Raises `BadInput` for frames of another dimension, none at all, or weights that are not one a frame.
    """
    if frames.ndim != 3 or frames.shape[1] != in_dim or frames.shape[2] == 0:
        raise BadInput(f"the pooling takes [batch, {in_dim}, frames], one frame or more, not {list(frames.shape)}")
    if weight is None:
        return frames
    if weight.shape != (frames.shape[0], frames.shape[2]):
        raise BadInput(
            f"weights of shape {list(weight.shape)} for {frames.shape[0]} rows of {frames.shape[2]} frames; "
            "give one to each frame that leaves the encoder"
        )
    return frames.masked_fill((weight == 0)[:, None], 0)


def shares(
    frames: Float[Tensor, "batch dim frames"], weight: Float[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch 1 frames"] | None:
    """The weights, made to sum to 1 over time and in the frames' precision; None stays "all alike"."""
    return None if weight is None else (weight / weight.sum(-1, keepdim=True))[:, None].to(frames.dtype)


def softmax(
    score: Float[Tensor, "batch scores frames"], weight: Float[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch scores frames"]:
    """Attention over time, each frame's times its weight, made to sum to 1."""
    if weight is None:
        return score.softmax(-1)
    unheard = weight == 0
    # The logarithm of 1 stands in for that of 0, whose gradient is no number.
    logarithm = weight.masked_fill(unheard, 1).log().masked_fill(unheard, -torch.inf)
    return (score + logarithm[:, None].to(score.dtype)).softmax(-1)
