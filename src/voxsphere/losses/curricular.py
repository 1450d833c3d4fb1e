"""Curricular AAM: classes that are mistaken for the true one weigh the more, the better training goes."""

import math

import torch
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import check_positive, class_weights, cosine
from voxsphere.losses.margin import past
from voxsphere.losses.scheduled_margin import ScheduledMargin
from voxsphere.losses.softmax_head import RemadeHead


class CurricularAam(ScheduledMargin, RemadeHead):
    """`AamSoftmax` in which a class with cos t_j > cos(t + m), the true one's, has the logit s·cos t_j·(τ + cos t_j).

    Huang et al. 2020, CurricularFace, arXiv:2004.00288. τ, the buffer `typical`, follows the batches' mean
    cosine to the true class, from 0 on: new τ = `momentum`·τ + (1 − `momentum`)·mean, in training only, each time
    before the batch itself uses it. With soft targets each class of a row counts as one in that mean. `margin` is in
    radians, 0 … π/2; the paper's options for faces are 0.5 and a scale of 64.

    A margin of 0 is a scaled softmax only where no class is nearer than the true one. Where a class becomes hard its
    logit jumps, to lower values while τ + cos t_j is below 1.
    """

    track_running_stats = True  # as batch norms say it: what is asked again at perturbed weights leaves τ still
    typical: Tensor

    def __init__(
        self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0, momentum: float = 0.99
    ) -> None:
        super().__init__()
        if not 0 <= momentum <= 1:
            raise BadInput(f"momentum: {momentum:g} is no share; give 0 to 1")
        self.weight, self.num_classes = class_weights(in_dim, num_classes), num_classes
        self.scale, self.momentum = check_positive("scale", scale), momentum
        self._begin_with(margin, most=math.pi / 2)
        self.register_buffer("typical", torch.tensor(0.0))

    def _cosines(self, embedding: Tensor, scale: float) -> Tensor:
        return cosine(embedding, self.weight, scale=scale)

    def _remade(self, cosines: Tensor, true: Tensor) -> Tensor:
        """In training τ moves on."""
        own = cosines.gather(1, true)
        if self.training:
            self.typical.lerp_(own.detach().mean(), 1 - self.momentum)
        asked = past(own, self.margin)
        weighed = torch.where(cosines > asked, cosines * (self.typical + cosines), cosines)
        return weighed.scatter(1, true, asked)
