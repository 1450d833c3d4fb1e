"""What a weight per frame means to every pooling."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput


class WeightedPooling(nn.Module, ABC):
    """What every pooling does with the weights; `_pool` is the pooling itself.

    Frames of weight 0 reach `_pool` as 0: what they held, even NaN, reaches neither sums nor gradients. What it makes
    of a row without weights is overwritten by NaN, which lets no gradient through: the other rows can be learnt from.

    Raises `BadInput` for frames of another dimension, none at all, or weights that are not one a frame; on a CPU also
    for weights below 0, infinite or NaN.
    """

    in_dim: int
    dim: int

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        if frames.ndim != 3 or frames.shape[1] != self.in_dim or frames.shape[2] == 0:
            takes = f"[batch, {self.in_dim}, frames], one frame or more"
            raise BadInput(f"the pooling takes {takes}, not {list(frames.shape)}")
        if weight is None:
            return self._pool(frames, None)
        if weight.shape != (frames.shape[0], frames.shape[2]):
            raise BadInput(
                f"weights of shape {list(weight.shape)} for {frames.shape[0]} rows of {frames.shape[2]} frames; "
                "give one to each frame that leaves the encoder"
            )
        usable = (weight >= 0) & (weight < torch.inf)
        if weight.device.type == "cpu" and not torch.compiler.is_compiling():
            if not usable.all():
                raise BadInput("a frame's weight is below 0, infinite or NaN; weights are 0 or more, of any scale")
        else:
            # A look into an accelerator's memory would make every step wait, and into a compiled graph would break it;
            # there, the row counts as one without weights.
            weight = weight.masked_fill(~usable.all(-1, keepdim=True), 0)
        unheard = weight == 0
        pooled = self._pool(frames.masked_fill(unheard[:, None], 0), weight)
        return pooled.masked_fill(unheard.all(-1, keepdim=True), torch.nan)

    @abstractmethod
    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        """Numbers of any kind, but finite ones, for rows without weights."""


def _silent(weight: Float[Tensor, "batch frames"]) -> Bool[Tensor, "batch 1"]:
    """Which rows have no weights, and so no average."""
    return (weight == 0).all(-1, keepdim=True)


def shares(
    frames: Float[Tensor, "batch dim frames"], weight: Float[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch 1 frames"] | None:
    """The weights, made to sum to 1 over time and in the frames' precision; None stays "all alike".

    A row without weights has equal ones, as in `softmax`: whatever is made of them is finite.
    """
    if weight is None:
        return None
    weight = weight.masked_fill(_silent(weight), 1)
    return (weight / weight.sum(-1, keepdim=True))[:, None].to(frames.dtype)


def softmax(
    score: Float[Tensor, "batch scores frames"], weight: Float[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch scores frames"]:
    """Attention over time, each frame's times its weight, made to sum to 1.

    In single precision or better: shares rounded to half precision sum to something else than 1, and a mean that is off
    by a hundredth part drowns every deviation smaller than that.
    """
    score = score.float() if score.dtype.itemsize < 4 else score
    if weight is None:
        return score.softmax(-1)
    unheard = weight == 0
    # The logarithm of 1 stands in for that of 0, whose gradient is no number.
    logarithm = weight.masked_fill(unheard, 1).log().masked_fill(unheard & ~_silent(weight), -torch.inf)
    return (score + logarithm[:, None].to(score.dtype)).softmax(-1)
