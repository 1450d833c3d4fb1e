"""The circle loss over classes: each cosine is pulled by as much as it still lacks."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import (
    Speaker,
    by_class,
    check_classes,
    check_margin,
    check_positive,
    checked,
    class_weights,
    cosine,
    precisely,
)


class CircleSoftmax(nn.Module):
    """Circle loss: the true class's logit is s·[1 + m − cos t]₊·(cos t − 1 + m), others' s·[cos t + m]₊·(cos t − m).

    Sun et al. 2020, Circle Loss, arXiv:2002.10857, section 3 with class-level labels, and their options for faces.
    The factors [·]₊ weigh; as in the paper the gradient does not go through them. `margin` is a difference of cosines,
    0 … 1. `logits` are s·cos t, in the order of the cosines.
    """

    margin: Tensor

    def __init__(self, in_dim: int, num_classes: int, *, margin: float = 0.25, scale: float = 256.0) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        self.scale = check_positive("scale", scale)
        self.register_buffer("margin", torch.tensor(float(margin)))
        self.set_margin(margin)

    def set_margin(self, value: float) -> None:
        """Ask for another margin from now on."""
        self.margin.fill_(check_margin(value, 1.0))

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """s·cos t, without weights and margin."""
        with precisely(embedding):
            return cosine(embedding, self.weight, scale=self.scale)

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]:
        """The weighted logits, with each row's class as the true one."""
        with precisely(embedding):
            cosines, m = cosine(embedding, self.weight), self.margin
            true = check_classes(speaker, *cosines.shape)[:, None]
            own = cosines.gather(1, true)
            lacking, excess = (1 + m - own.detach()).clamp_min(0), (cosines.detach() + m).clamp_min(0)
            return self.scale * (excess * (cosines - m)).scatter(1, true, lacking * (own - 1 + m))

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch of the weighted logits, in nats."""
        with precisely(embedding):
            return by_class(self._losses, checked(embedding, self.weight), speaker, len(self.weight))

    def _losses(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return functional.cross_entropy(self.penalised(embedding, speaker), speaker, reduction="none")
