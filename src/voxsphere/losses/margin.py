"""Margin heads: softmax over scaled cosines, where the true class has a margin to make up for."""

import math

import torch
from torch import Tensor

from voxsphere.losses.head import check_positive, class_weights, cosine
from voxsphere.losses.scheduled_margin import ScheduledMargin
from voxsphere.losses.softmax_head import PushedHead


class AmSoftmax(ScheduledMargin, PushedHead):
    """Additive margin softmax: the true class's logit is s·(cos t − m), the others' s·cos t.

    Wang et al. 2018, Additive Margin Softmax for Face Verification, eq. 6 (also CosFace, Wang et al. 2018, eq. 4).
    `margin` is a difference of cosines, 0 … 2.
    """

    def __init__(self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        self.scale = check_positive("scale", scale)
        self._begin_with(margin, most=2.0)

    def _logits(self, embedding: Tensor) -> Tensor:
        return cosine(embedding, self.weight, scale=self.scale)

    def _push(self, true: Tensor, embedding: Tensor) -> Tensor:
        return true - self.scale * self.margin


class AamSoftmax(ScheduledMargin, PushedHead):
    """Additive angular margin softmax: the true class's logit is s·cos(t + m), the others' s·cos t.

    Deng et al. 2019, ArcFace, arXiv:1801.07698, eq. 3. `margin` is in radians, 0 … π/2.

    Departs from the equation where t + m passes π: there the cosine would rise again, so the logit goes on as
    s·(cos t − m·sin m) and keeps falling with the angle (the authors' code and SpeechBrain's do so; WeSpeaker's and
    3D-Speaker's subtract 1 − cos m). With `easy_margin` the margin is asked only of what is nearer than a right angle.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0, easy_margin: bool = False
    ) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        self.scale, self.easy_margin = check_positive("scale", scale), easy_margin
        self._begin_with(margin, most=math.pi / 2)

    def _logits(self, embedding: Tensor) -> Tensor:
        return cosine(embedding, self.weight, scale=self.scale)

    def _push(self, true: Tensor, embedding: Tensor) -> Tensor:
        return self.scale * past(true / self.scale, self.margin, easy=self.easy_margin)


def past(cosine: Tensor, margin: Tensor, *, easy: bool = False) -> Tensor:
    """cos(t + m) of cos t, in the form that keeps falling where t + m is past π; see `AamSoftmax`."""
    # The floor keeps the root's gradient finite at cos t = ±1, where rounding may also take cos² past 1.
    sine = (1 - cosine.square()).clamp_min(1e-12).sqrt()
    beyond = cosine * margin.cos() - sine * margin.sin()
    if easy:
        return torch.where(cosine > 0, beyond, cosine)
    return torch.where(cosine > -margin.cos(), beyond, cosine - margin * margin.sin())
