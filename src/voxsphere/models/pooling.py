"""Frames to one vector: mean, statistics, attentive statistics.

Every pooling takes a soft weight per frame (0 … any scale), such as a probability of speech. Frames of weight 0 change
nothing, so padding can be pooled away; no weight is the same as equal weights. A row of weights that are all 0 has no
average and gives NaN.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class MeanPooling(nn.Module):
    """The mean over time."""

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.dim = in_dim

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        return frames.mean(-1) if weight is None else (frames * _shares(frames, weight)).sum(-1)


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
        mean, std = _statistics(frames, _shares(frames, weight), unbiased=self.unbiased, floor=self.floor)
        return torch.cat([mean, std], dim=1)


class AttentiveStatsPooling(nn.Module):
    """Mean and standard deviation under an attention of each channel to the frames.

    α = softmax over time of V tanh(W h + b) + k (Okabe et al. 2018, Attentive statistics pooling; one
    attention a channel as in Desplanques et al. 2020, ECAPA-TDNN, section 3.1). With `context`, the attention also sees
    the mean and the standard deviation of the whole utterance. A frame's weight multiplies its attention.
    """

    def __init__(self, in_dim: int, *, bottleneck: int = 128, context: bool = False, floor: float = 1e-7) -> None:
        super().__init__()
        self.dim = 2 * in_dim
        self.context, self.floor = context, floor
        self.hidden = nn.Conv1d(3 * in_dim if context else in_dim, bottleneck, 1)
        self.score = nn.Conv1d(bottleneck, in_dim, 1)

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        own = self.hidden.weight[:, : frames.shape[1]]
        hidden = functional.conv1d(frames, own, self.hidden.bias)
        if self.context:
            # What is the same in every frame is convolved once: two thirds of the multiplications fall away.
            whole = torch.cat(_statistics(frames, _shares(frames, weight), unbiased=True, floor=self.floor), dim=1)
            hidden = hidden + functional.linear(whole, self.hidden.weight[:, frames.shape[1] :, 0])[..., None]
        score = self.score(torch.tanh(hidden))
        if weight is not None:
            score = score + weight.log()[:, None]  # log 0 = -inf: no attention at all
        mean, std = _statistics(frames, score.softmax(-1), unbiased=False, floor=self.floor)
        return torch.cat([mean, std], dim=1)


def _shares(frames: Tensor, weight: Tensor | None) -> Float[Tensor, "batch 1 frames"]:
    """The weights, made to sum to 1 over time."""
    if weight is None:
        return frames.new_full((1, 1, 1), 1 / frames.shape[-1]).expand(frames.shape[0], 1, frames.shape[-1])
    return (weight / weight.sum(-1, keepdim=True))[:, None].to(frames.dtype)


def _statistics(frames: Tensor, share: Tensor, *, unbiased: bool, floor: float) -> tuple[Tensor, Tensor]:
    mean = (share * frames).sum(-1, keepdim=True)
    variance = (share * (frames - mean).square()).sum(-1)
    if unbiased:
        # The floor stands for "one frame", of which there is no spread to correct.
        variance = variance / (1 - share.square().sum(-1)).clamp(min=1e-6)
    return mean.squeeze(-1), (variance + floor).sqrt()
