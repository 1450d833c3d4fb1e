"""multitask_asv's poolings: attention by one bounded score a frame, over the frames or over an LSTM's view of them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.recurrent import heard
from voxsphere.models.poolings.statistics import statistics
from voxsphere.models.poolings.weights import WeightedPooling, shares, softmax

_NOISE = 1e-5


class TanhAttentionPooling(WeightedPooling):
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

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        attention = softmax(torch.tanh(self.score(frames)), weight).to(frames.dtype)
        if not self.legacy:
            return torch.cat(statistics(frames, attention, unbiased=False, floor=self.floor), dim=1)
        weighted = attention * frames
        noisy = weighted + _NOISE * torch.randn_like(weighted) if self.training else weighted
        _, std = statistics(noisy, shares(frames, weight), unbiased=True, floor=_NOISE**2)
        return torch.cat([weighted.sum(-1), std], dim=1)


class LstmAttentionPooling(WeightedPooling):
    """`TanhAttentionPooling` of a two-way LSTM's outputs, and the mean of its last states over layers and directions.

    With `hidden` units a direction it makes 5 · `hidden` numbers. Frames of weight 0 are left out of the sequence; the
    LSTM knows nothing else of the weights, so the result jumps where a weight becomes 0: probabilities of speech want a
    threshold. `legacy` and `floor` as in `TanhAttentionPooling`. Source: multitask_asv's resnet_lstm.
    """

    def __init__(
        self, in_dim: int, *, hidden: int = 256, layers: int = 2, legacy: bool = False, floor: float = 1e-7
    ) -> None:
        super().__init__()
        self.in_dim, self.dim = in_dim, 5 * hidden
        # One module a direction: torch's two-way LSTM would begin its way back in the padding.
        self.onward, self.back = (
            nn.ModuleList(nn.LSTM(2 * hidden if i else in_dim, hidden, batch_first=True) for i in range(layers))
            for _ in range(2)
        )
        self.attention = TanhAttentionPooling(2 * hidden, legacy=legacy, floor=floor)

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        x, places = frames.transpose(1, 2), torch.arange(frames.shape[-1], device=frames.device)
        count = torch.full_like(places[:1], frames.shape[-1])[:, None]
        if weight is not None:
            # What counts moves to the front, in its order; the attention asks for no order.
            order = (weight == 0).int().sort(dim=-1, stable=True).indices
            weight, x = weight.gather(1, order), x.take_along_dim(order[..., None], dim=1)
            count = (weight > 0).sum(-1, keepdim=True)
        reverse = torch.where(places < count, count - 1 - places, places)[..., None]
        end = (count - 1).clamp_min(0)[..., None]
        states = []
        for onward, back in zip(self.onward, self.back, strict=True):
            out, reversed_out = heard(onward, x), heard(back, x.take_along_dim(reverse, dim=1))
            states += [one.take_along_dim(end, dim=1)[:, 0] for one in (out, reversed_out)]
            x = torch.cat([out, reversed_out.take_along_dim(reverse, dim=1)], dim=-1)
        return torch.cat([self.attention(x.transpose(1, 2), weight), torch.stack(states).mean(0)], dim=1)
