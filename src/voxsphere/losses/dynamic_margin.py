"""Dynamic margin: the farther an embedding is from its class, the more is asked of it."""

from torch import Tensor

from voxsphere.losses.head import check_positive, class_weights, cosine
from voxsphere.losses.scheduled_margin import ScheduledMargin
from voxsphere.losses.softmax_head import PushedHead


class DynamicMargin(ScheduledMargin, PushedHead):
    """DAM-Softmax: the true class's logit is s·(cos t − m·exp(1 − cos t)/λ), the others' s·cos t.

    Zhou et al. 2020, Dynamic Margin Softmax Loss for Speaker Verification, Interspeech, with their options: the margin
    is m/λ, `margin` over `divisor`, where embedding and class agree, and e²·m/λ where they are opposite.
    The gradient goes through the margin too. `margin` is a difference of cosines, 0 … 2.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0, divisor: float = 2.0
    ) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        self.scale, self.divisor = check_positive("scale", scale), check_positive("divisor", divisor)
        self._begin_with(margin, most=2.0)

    def _logits(self, embedding: Tensor) -> Tensor:
        return cosine(embedding, self.weight, scale=self.scale)

    def _push(self, true: Tensor, embedding: Tensor) -> Tensor:
        return true - self.scale * self.margin * (1 - true / self.scale).exp() / self.divisor
