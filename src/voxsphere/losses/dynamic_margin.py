"""Dynamic margin: the farther an embedding is from its class, the more is asked of it."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from voxsphere.losses.head import (
    Speaker,
    check_margin,
    check_positive,
    class_weights,
    cosine,
    cross_entropy,
    precisely,
    pushed,
)


class DynamicMargin(nn.Module):
    """DAM-Softmax: the true class's logit is s·(cos t − m·exp(1 − cos t)/λ), the others' s·cos t.

    Zhou et al. 2020, Dynamic Margin Softmax Loss for Speaker Verification, Interspeech, with their options: the margin
    is m/λ, `margin` over `divisor`, where embedding and class agree, and e²·m/λ where they are opposite.
    The gradient goes through the margin too. `margin` is a difference of cosines, 0 … 2.
    """

    margin: Tensor

    def __init__(
        self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0, divisor: float = 2.0
    ) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        self.scale, self.divisor = check_positive("scale", scale), check_positive("divisor", divisor)
        self.register_buffer("margin", torch.tensor(float(margin)))
        self.set_margin(margin)

    def set_margin(self, value: float) -> None:
        """Ask for another margin from now on."""
        self.margin.fill_(check_margin(value, 2.0))

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """s·cos t, without a margin."""
        with precisely(embedding):
            return cosine(embedding, self.weight, scale=self.scale)

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]:
        """The logits with the margin on each row's class."""
        with precisely(embedding):
            return pushed(self.logits(embedding), speaker, self._pushed)

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch with the margin on the true class, in nats."""
        with precisely(embedding):
            return cross_entropy(self.logits(embedding), speaker, self._pushed)

    def _pushed(self, true: Tensor) -> Tensor:
        return true - self.scale * self.margin * (1 - true / self.scale).exp() / self.divisor
