"""The circle loss over classes: each cosine is pulled by as much as it still lacks."""

from torch import Tensor

from voxsphere.losses.head import check_positive, class_weights, cosine
from voxsphere.losses.scheduled_margin import ScheduledMargin
from voxsphere.losses.softmax_head import RemadeHead


class CircleSoftmax(ScheduledMargin, RemadeHead):
    """Circle loss: the true class's logit is s·[1 + m − cos t]₊·(cos t − 1 + m), others' s·[cos t + m]₊·(cos t − m).

    Sun et al. 2020, Circle Loss, arXiv:2002.10857, section 3 with class-level labels, and their options for faces.
    The factors [·]₊ weigh; as in the paper the gradient does not go through them. `margin` is a difference of cosines,
    0 … 1. `logits` are s·cos t, in the order of the cosines.
    """

    def __init__(self, in_dim: int, num_classes: int, *, margin: float = 0.25, scale: float = 256.0) -> None:
        super().__init__()
        self.weight, self.num_classes = class_weights(in_dim, num_classes), num_classes
        self.scale = check_positive("scale", scale)
        self._begin_with(margin, most=1.0)

    def _cosines(self, embedding: Tensor, scale: float) -> Tensor:
        return cosine(embedding, self.weight, scale=scale)

    def _remade(self, cosines: Tensor, true: Tensor) -> Tensor:
        own, m = cosines.gather(1, true), self.margin
        lacking, excess = (1 + m - own.detach()).clamp_min(0), (cosines.detach() + m).clamp_min(0)
        return (excess * (cosines - m)).scatter(1, true, lacking * (own - 1 + m))
