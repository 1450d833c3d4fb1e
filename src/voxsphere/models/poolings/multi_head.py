"""Several attentions side by side, each to its own slice of the channels."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.poolings.attention import Attention
from voxsphere.models.poolings.statistics import moments
from voxsphere.models.poolings.weights import kept, softmax


class MultiHeadAttentionPooling(nn.Module):
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

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        slices = kept(frames, weight, self.in_dim).unflatten(1, self.query.shape)
        score = (self.query[:, None] @ slices).squeeze(2) / self.query.shape[1] ** 0.5
        share = softmax(score, weight)
        return (slices @ share[..., None]).flatten(1)


class MultiQueryMultiHeadAttentionPooling(nn.Module):
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
        if attention not in ("scalar", "vector"):
            raise BadInput(f"attention is 'scalar' or 'vector', not {attention!r}")
        slice_dim = _slice(in_dim, heads)
        scores = slice_dim if attention == "vector" else 1
        self.in_dim, self.dim = in_dim, 2 * in_dim * queries
        self.queries, self.heads, self.floor = queries, heads, floor
        # Channels lie head by head, then query by query: a group of the first layer is a head.
        self.hidden = nn.Conv1d(in_dim, heads * queries * bottleneck, 1, groups=heads) if layers == 2 else None
        entries, groups = (heads * queries * bottleneck, heads * queries) if layers == 2 else (in_dim, heads)
        self.score = nn.Conv1d(entries, heads * queries * scores, 1, groups=groups, bias=attention == "vector")

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        frames = kept(frames, weight, self.in_dim)
        score = self.score(frames if self.hidden is None else torch.tanh(self.hidden(frames)))
        share = softmax(score, weight).unflatten(1, (self.heads, self.queries, -1))
        mean, variance = moments(frames.unflatten(1, (self.heads, 1, -1)), share)
        both = torch.stack([mean, variance.clamp(min=self.floor).sqrt()], dim=3)
        return both.transpose(1, 2).flatten(1)


def _slice(in_dim: int, heads: int) -> int:
    if heads < 1 or in_dim % heads:
        raise BadInput(f"{heads} heads do not divide {in_dim} channels; choose a number that does")
    return in_dim // heads
