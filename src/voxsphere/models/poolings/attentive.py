"""Mean and standard deviation under learnt attention to the frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.poolings.statistics import shares, statistics


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
            whole = torch.cat(statistics(frames, shares(frames, weight), unbiased=True, floor=self.floor), dim=1)
            hidden = hidden + functional.linear(whole, self.hidden.weight[:, frames.shape[1] :, 0])[..., None]
        score = self.score(torch.tanh(hidden))
        if weight is not None:
            score = score + weight.log()[:, None]  # log 0 = -inf: no attention at all
        mean, std = statistics(frames, score.softmax(-1), unbiased=False, floor=self.floor)
        return torch.cat([mean, std], dim=1)
