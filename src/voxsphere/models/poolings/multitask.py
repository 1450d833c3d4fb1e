"""multitask_asv's poolings: attention by one bounded score a frame, over the frames or over an LSTM's view of them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from voxsphere.models.poolings.statistics import statistics

_NOISE = 1e-5


class TanhAttentionPooling(nn.Module):
    """Mean and standard deviation under attention of a single score a frame, α = softmax over time of tanh(wᵀh).

    The tanh bounds the score: no frame weighs more than e² times another. A frame's weight multiplies its attention.

    `legacy` is the deviation of the original (multitask_asv): the unbiased one of the weighted frames α·h over time,
    with 1e-5 of Gaussian noise on them in training. The original adds that noise in evaluation too; here the floor is
    its variance, 1e-10, at all times. By default the deviation is the textbook's, under the attention, whose variance
    gets `floor` added.
    """

    def __init__(self, in_dim: int, *, legacy: bool = False, floor: float = 1e-7) -> None:
        super().__init__()
        self.in_dim, self.dim = in_dim, 2 * in_dim
        self.legacy, self.floor = legacy, floor
        self.score = nn.Conv1d(in_dim, 1, 1, bias=False)
        nn.init.kaiming_uniform_(self.score.weight)

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        if weight is not None:
            frames = frames.masked_fill((weight == 0)[:, None], 0)
        score = torch.tanh(self.score(frames))
        attention = score.softmax(-1) if weight is None else _weighted_softmax(score, weight)
        if not self.legacy:
            return torch.cat(statistics(frames, attention, unbiased=False, floor=self.floor), dim=1)
        weighted = attention * frames
        noisy = weighted + _NOISE * torch.randn_like(weighted) if self.training else weighted
        counted = torch.ones_like(score) if weight is None else weight[:, None].to(frames.dtype)
        _, std = statistics(noisy, counted / counted.sum(-1, keepdim=True), unbiased=True, floor=_NOISE**2)
        return torch.cat([weighted.sum(-1), std], dim=1)


class LstmAttentionPooling(nn.Module):
    """`TanhAttentionPooling` of a two-way LSTM's outputs, and the mean of its last states over layers and directions.

    With `hidden` units a direction it makes 5 · `hidden` numbers. Frames of weight 0 are left out of the sequence; the
    LSTM knows nothing else of the weights. `legacy` and `floor` as in `TanhAttentionPooling`. Source: multitask_asv's
    resnet_lstm.
    """

    def __init__(
        self, in_dim: int, *, hidden: int = 256, layers: int = 2, legacy: bool = False, floor: float = 1e-7
    ) -> None:
        super().__init__()
        self.in_dim, self.dim = in_dim, 5 * hidden
        self.lstm = nn.LSTM(in_dim, hidden, layers, batch_first=True, bidirectional=True)
        self.attention = TanhAttentionPooling(2 * hidden, legacy=legacy, floor=floor)

    def forward(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        if weight is None:
            outputs, (last, _) = self.lstm(frames.transpose(1, 2))
        else:
            # What counts moves to the front, in its order; the attention asks for no order.
            order = (weight == 0).int().argsort(-1, stable=True)
            weight = weight.gather(1, order)
            sequence = frames.transpose(1, 2).gather(1, order[..., None].expand(-1, -1, self.in_dim))
            lengths = (weight > 0).sum(-1).clamp_min(1).cpu()
            packed, (last, _) = self.lstm(
                pack_padded_sequence(sequence, lengths, batch_first=True, enforce_sorted=False)
            )
            outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=frames.shape[-1])
        return torch.cat([self.attention(outputs.transpose(1, 2), weight), last.mean(0)], dim=1)


def _weighted_softmax(
    score: Float[Tensor, "batch 1 frames"], weight: Float[Tensor, "batch frames"]
) -> Float[Tensor, "batch 1 frames"]:
    unheard = weight == 0
    # The logarithm of 1 stands in for that of 0, whose gradient is no number.
    logarithm = weight.masked_fill(unheard, 1).log().masked_fill(unheard, -torch.inf)
    return (score + logarithm[:, None].to(score.dtype)).softmax(-1)
