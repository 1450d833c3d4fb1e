"""The last frame."""

import torch
from jaxtyping import Float
from torch import Tensor

from voxsphere.models.poolings.weights import WeightedPooling


class LastFramePooling(WeightedPooling):
    """The last frame whose weight is above 0: what a recurrent network has understood when all is said.

    However small that weight is: the result jumps where it becomes 0, so probabilities of speech want a threshold.
    """

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.in_dim = self.dim = in_dim

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        if weight is None:
            return frames[..., -1]
        places = torch.arange(frames.shape[-1], device=frames.device)
        last = (places * (weight > 0)).amax(-1)
        return frames.take_along_dim(last[:, None, None], dim=-1).squeeze(-1)
