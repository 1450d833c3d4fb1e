"""Mean and standard deviation under learnt attention to the frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.models.poolings.attention import Activation, Attention, Form, attend, scores_of
from voxsphere.models.poolings.statistics import moments, statistics
from voxsphere.models.poolings.weights import WeightedPooling, shares

LONG = 2**18  # numbers in the frames of one utterance


class AttentiveStatsPooling(WeightedPooling):
    """Mean and standard deviation under an attention to the frames (Okabe et al. 2018, Attentive statistics pooling).

    α = softmax over time of V tanh(W h + b) + k, one for each channel (`attention="vector"`: Desplanques et al. 2020,
    ECAPA-TDNN, section 3.1) or for the frame ("scalar": Okabe et al., equations 3 and 4). With `context`, the attention
    also sees the mean and the standard deviation of the whole utterance, unbiased or not by `unbiased_context`. A
    frame's weight multiplies its attention. `activation` replaces the tanh, see `Activation`. `floor` is the smallest
    variance.

    `normalised=False` is the first form of SpeakerVerifiaction-pytorch (with `attention="scalar"` and
    `activation="sigmoid"`): the tanh of the score as it is instead of a softmax over time. Its Σαh² − (Σαh)² is no
    variance, and grows with the number of frames.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        bottleneck: int = 128,
        attention: Attention = "vector",
        activation: Form = "tanh",
        context: bool = False,
        unbiased_context: bool = True,
        normalised: bool = True,
        floor: float = 1e-7,
    ) -> None:
        super().__init__()
        self.in_dim, self.dim = in_dim, 2 * in_dim
        self.context, self.unbiased_context = context, unbiased_context
        self.normalised, self.floor = normalised, floor
        self.hidden = nn.Conv1d(3 * in_dim if context else in_dim, bottleneck, 1)
        self.activation = Activation(activation, bottleneck)
        self.score = scores_of(attention, in_dim, bottleneck)

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        if self._together(frames):
            return self._of_rows(frames, weight)
        weights = [None] * len(frames) if weight is None else weight.chunk(len(weight))
        return torch.cat([self._of_rows(row, w) for row, w in zip(frames.chunk(len(frames)), weights, strict=True)])

    def _together(self, frames: Tensor) -> bool:
        """Whether rows are pooled at once; long ones are faster one by one, in the processor's cache."""
        shortish = frames.shape[1] * frames.shape[2] < LONG
        recorded = self.training or torch.is_grad_enabled() or torch.compiler.is_compiling()
        return recorded or frames.device.type != "cpu" or len(frames) == 1 or shortish

    def _of_rows(self, frames: Tensor, weight: Tensor | None) -> Tensor:
        score = self.score(self.activation(self._hidden(frames, weight), weight))
        share = attend(score, weight, normalised=self.normalised)
        if self.normalised:
            mean, variance = moments(frames, share)
        else:
            mean = (share * frames).sum(-1)
            variance = (share * frames.square()).sum(-1) - mean.square()
        return torch.cat([mean, variance.clamp(min=self.floor).sqrt()], dim=1).to(frames.dtype)

    def _hidden(self, frames: Tensor, weight: Tensor | None) -> Tensor:
        hidden = functional.conv1d(frames, self.hidden.weight[:, : self.in_dim], self.hidden.bias)
        if not self.context:
            return hidden
        # What is the same in every frame is convolved once: two thirds of the multiplications fall away.
        mean_std = statistics(frames, shares(frames, weight), unbiased=self.unbiased_context, floor=self.floor)
        whole = functional.linear(torch.cat(mean_std, dim=1), self.hidden.weight[:, self.in_dim :, 0])
        return hidden + whole[..., None]
