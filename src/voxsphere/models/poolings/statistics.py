"""The mean, and the mean with the standard deviation, over time."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class MeanPooling(nn.Module):
    """The mean over time."""

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.dim = in_dim

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        return frames.mean(-1) if weight is None else (frames * shares(frames, weight)).sum(-1)


class StatsPooling(nn.Module):
    """Mean and standard deviation over time (Snyder et al. 2018, X-vectors).

    `unbiased` divides the squared deviations by frames − 1, and with weights by Σw − Σw²/Σw, which is the same number
    for weights of 0 and 1. One frame deviates by 0. `floor` is added to the variance: it keeps the gradient of the
    square root finite.
    """

    def __init__(self, in_dim: int, *, unbiased: bool = True, floor: float = 1e-12) -> None:
        super().__init__()
        self.dim = 2 * in_dim
        self.unbiased, self.floor = unbiased, floor

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        mean, std = statistics(frames, shares(frames, weight), unbiased=self.unbiased, floor=self.floor)
        return torch.cat([mean, std], dim=1)


def shares(
    frames: Float[Tensor, "batch dim frames"], weight: Float[Tensor, "batch frames"] | None
) -> Float[Tensor, "batch 1 frames"]:
    """The weights, made to sum to 1 over time."""
    if weight is None:
        return frames.new_full((1, 1, 1), 1 / frames.shape[-1]).expand(frames.shape[0], 1, frames.shape[-1])
    return (weight / weight.sum(-1, keepdim=True))[:, None].to(frames.dtype)


def statistics(
    frames: Float[Tensor, "batch dim frames"], share: Tensor, *, unbiased: bool, floor: float
) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch dim"]]:
    """Mean and standard deviation under shares that sum to 1 over time; `floor` is added to the variance."""
    mean = (share * frames).sum(-1, keepdim=True)
    variance = (share * (frames - mean).square()).sum(-1)
    if unbiased:
        # The floor stands for "one frame", of which there is no spread to correct.
        variance = variance / (1 - share.square().sum(-1)).clamp(min=1e-6)
    return mean.squeeze(-1), (variance + floor).sqrt()
