"""SphereFace2: one yes-or-no question a class instead of one choice among all."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import Speaker, check_classes, check_positive, check_shares, class_weights, cosine, precisely
from voxsphere.losses.scheduled_margin import ScheduledMargin


class SphereFace2(ScheduledMargin):
    """SphereFace2-C: λ·ln(1 + e^(s(m − g) − b)) of the true class, and (1 − λ)·ln(1 + e^(s(m + g) + b)) of each other.

    Wen et al. 2021, SphereFace2, arXiv:2108.01513, with g = 2·((cos t + 1)/2)^p − 1 and the margin on g (its type C);
    for speakers Han et al. 2023, Exploring Binary Classification Loss for Speaker Verification, with the defaults of
    WeSpeaker's head. `balance` is λ, `power` is p, `bias` is b, trained from 0. `margin` is a difference of g, 0 … 2.

    Departs from the first paper, as WeSpeaker does, in that the sum is not divided by s. The loss is no softmax: there
    are no penalised logits that a wrapper could work on, and `logits`, s·g(t) + b, are the log-odds of each class.
    """

    def __init__(
        self,
        in_dim: int,
        num_classes: int,
        *,
        margin: float = 0.2,
        scale: float = 32.0,
        balance: float = 0.7,
        power: float = 3.0,
    ) -> None:
        super().__init__()
        if not 0 < balance < 1:
            raise BadInput(f"balance: {balance:g} is not between 0 and 1")
        if not power >= 1:
            raise BadInput(f"power: {power:g} is not 1 or more")
        self.weight = class_weights(in_dim, num_classes)
        self.bias = nn.Parameter(torch.zeros(()))
        self.scale, self.balance, self.power = check_positive("scale", scale), balance, power
        self._begin_with(margin, most=2.0)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The bias, which does not decay."""
        return [{"params": [self.bias], "weight_decay": 0.0}]

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """s·g(t) + b, without a margin."""
        with precisely(embedding):
            # Rounding may take a cosine past -1, and the power to what is no number.
            share = ((cosine(embedding, self.weight) + 1) / 2).clamp_min(0)
            return self.scale * (2 * share.pow(self.power) - 1) + self.bias

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean over the batch of the sum over the classes, in nats."""
        with precisely(embedding):
            logits, push = self.logits(embedding), self.scale * self.margin
            mistaken = functional.softplus(logits + push, threshold=40)
            if not speaker.is_floating_point():
                true = check_classes(speaker, *logits.shape)[:, None]
                missed = functional.softplus(push - logits.gather(1, true), threshold=40)
                mistaken = mistaken.scatter(1, true, 0.0)
            else:
                check_shares(speaker, *logits.shape)
                share = speaker.to(logits.dtype)
                missed = share * functional.softplus(push - logits, threshold=40)
                mistaken = (share.sum(1, keepdim=True) - share) * mistaken
            return (self.balance * missed.sum(1) + (1 - self.balance) * mistaken.sum(1)).mean()
