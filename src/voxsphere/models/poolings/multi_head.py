"""Several attentions side by side, each to its own slice of the channels."""

from collections import OrderedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.poolings.attention import Attention, scores_of
from voxsphere.models.poolings.statistics import moments
from voxsphere.models.poolings.weights import WeightedPooling, softmax


class MultiHeadAttentionPooling(WeightedPooling):
    """Means, each head's own attention to its slice of the channels (India et al. 2019, Self multi-head attention for
    speaker recognition, equations 4 to 6).

    Head j compares its slice of the frame with a learnt query: α = softmax over time of hᵀu / √(in_dim/heads). A
    frame's weight multiplies its attention. Raises `BadInput` where the heads do not divide the channels.
    """

    def __init__(self, in_dim: int, *, heads: int = 32) -> None:
        super().__init__()
        slice_dim = _slice(in_dim, heads)
        self.in_dim = self.dim = in_dim
        self.query = nn.Parameter(torch.empty(heads, slice_dim))
        nn.init.xavier_normal_(self.query)

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        heads, dim = self.query.shape
        slices = frames.reshape(len(frames), heads, dim, -1)
        score = (self.query[:, None] @ slices).squeeze(2) / dim**0.5
        pooled: Tensor = slices @ softmax(score, weight).to(slices.dtype)[..., None]
        return pooled.flatten(1)


class MultiQueryMultiHeadAttentionPooling(WeightedPooling):
    """Means and standard deviations, `queries` attentions to each of `heads` slices of the channels (Zhao et al. 2022,
    Multi-query multi-head attention pooling and inter-topK penalty for speaker verification, section 2).

    An attention has one layer or two (`layers`, with tanh and `bottleneck` between), and gives a score to each channel
    of the slice (`attention="vector"`) or one to all ("scalar"). The output holds, query by query and head by head, the
    slice's means and its deviations. A frame's weight multiplies its attention. `floor` is the smallest variance. The
    defaults are WeSpeaker's. One query and one head are attentive statistics, `queries=1` is the multi-head attentive
    pooling of WeSpeaker (MHASTP).

    Raises `BadInput` where the heads do not divide the channels.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        queries: int = 2,
        heads: int = 8,
        layers: int = 2,
        bottleneck: int = 64,
        attention: Attention = "vector",
        floor: float = 1e-7,
    ) -> None:
        super().__init__()
        if layers not in (1, 2):
            raise BadInput(f"an attention has 1 layer or 2, not {layers}")
        if queries < 1:
            raise BadInput(f"{queries} queries ask nothing; take 1 or more")
        dim = _slice(in_dim, heads)
        self.in_dim, self.dim = in_dim, 2 * in_dim * queries
        self.queries, self.heads, self.floor = queries, heads, floor
        self.attentions = nn.ModuleList(
            nn.ModuleList(_scorer(dim, layers, bottleneck, attention) for _ in range(heads)) for _ in range(queries)
        )

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        # Head by head, so that what is computed of one stays in the processor's cache.
        by_head = [self._of_head(i, part, weight) for i, part in enumerate(frames.chunk(self.heads, 1))]
        return torch.stack(by_head, dim=2).flatten(1)

    def _of_head(self, head: int, frames: Tensor, weight: Tensor | None) -> Float[Tensor, "batch queries two_dim"]:
        pooled = []
        for query in range(self.queries):
            share = softmax(self.attentions.get_submodule(f"{query}.{head}")(frames), weight)
            mean, variance = moments(frames, share)
            pooled.append(torch.cat([mean, variance.clamp(min=self.floor).sqrt()], dim=1).to(frames.dtype))
        return torch.stack(pooled, dim=1)


def _scorer(dim: int, layers: int, bottleneck: int, attention: Attention) -> nn.Sequential:
    if layers == 1:
        return nn.Sequential(OrderedDict(score=scores_of(attention, dim, dim)))
    hidden, score = nn.Conv1d(dim, bottleneck, 1), scores_of(attention, dim, bottleneck)
    return nn.Sequential(OrderedDict(hidden=hidden, tanh=nn.Tanh(), score=score))


def _slice(in_dim: int, heads: int) -> int:
    if heads < 1 or in_dim % heads:
        raise BadInput(f"{heads} heads do not divide {in_dim} channels; choose a number that does")
    return in_dim // heads
