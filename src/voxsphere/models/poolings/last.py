"""The last frame."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.poolings.weights import kept


class LastFramePooling(nn.Module):
    """The last frame whose weight is above 0: what a recurrent network has understood when all is said."""

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.in_dim = self.dim = in_dim

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        frames = kept(frames, weight, self.in_dim)
        if weight is None:
            return frames[..., -1]
        places = torch.arange(1, frames.shape[-1] + 1, device=frames.device)
        last = (places * (weight > 0)).amax(-1)  # 0 where there is none
        found = frames.take_along_dim((last - 1).clamp(min=0)[:, None, None], dim=-1).squeeze(-1)
        return found.masked_fill((last == 0)[:, None], torch.nan)
