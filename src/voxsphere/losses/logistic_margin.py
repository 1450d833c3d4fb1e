"""Logistic margin: scores with a scale and a shift for each class, and a margin after them."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import check_positive, checked, class_weights
from voxsphere.losses.scheduled_margin import ScheduledMargin
from voxsphere.losses.softmax_head import PushedHead


class LogisticMargin(ScheduledMargin, PushedHead):
    """Logistic margin: the logit of class c is a_c·(W_c·x/‖x‖ + b_c) + d_c, the true class's less the margin.

    Hajibabaei and Dai 2018, Unified Hypersphere Embedding for Speaker Recognition, arXiv:1807.08312. Class weights
    are not normalised; a_c (which begins as `scale`), b_c and d_c (as 0) are trained, a_c without weight decay.
    `normalised` takes W_c by its direction and leaves b_c out: that paper's additive margin, whose networks begin with
    a scale of 100 and take a margin of 50, or 50 and 20. `margin` is in nats, after scaling: 20 at a scale of 50 is
    0.4 in `AmSoftmax`.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, margin: float = 30.0, scale: float = 50.0, normalised: bool = False
    ) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        self.bias = None if normalised else nn.Parameter(torch.zeros(num_classes))
        self.scale = nn.Parameter(torch.full((num_classes,), float(check_positive("scale", scale))))
        self.shift = nn.Parameter(torch.zeros(num_classes))
        self._begin_with(margin, most=math.inf)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The scales, which do not decay."""
        return [{"params": [self.scale], "weight_decay": 0.0}]

    def _logits(self, embedding: Tensor) -> Tensor:
        weight = functional.normalize(self.weight) if self.bias is None else self.weight
        score = functional.linear(functional.normalize(checked(embedding, self.weight)), weight, self.bias)
        return self.scale * score + self.shift

    def _push(self, true: Tensor, embedding: Tensor) -> Tensor:
        return true - self.margin
