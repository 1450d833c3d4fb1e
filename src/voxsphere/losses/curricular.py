"""Curricular AAM: classes that are mistaken for the true one weigh the more, the better training goes."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
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
from voxsphere.losses.margin import past


class CurricularAam(nn.Module):
    """`AamSoftmax` in which a class with cos t_j > cos(t + m), the true one's, has the logit s·cos t_j·(τ + cos t_j).

    Huang et al. 2020, CurricularFace, arXiv:2004.00288. τ, the buffer `typical`, follows the batches' mean
    cosine to the true class, from 0 on: new τ = `momentum`·τ + (1 − `momentum`)·mean, in training only, each time
    before the batch itself uses it. With soft targets each class of a row counts as one in that mean. `margin` is in
    radians, 0 … π/2; the paper's options for faces are 0.5 and a scale of 64.

    A margin of 0 is a scaled softmax only where no class is nearer than the true one. Where a class becomes hard its
    logit jumps, to lower values while τ + cos t_j is below 1.
    """

    track_running_stats = True  # as batch norms say it: what is asked again at perturbed weights leaves τ still
    margin: Tensor
    typical: Tensor

    def __init__(
        self, in_dim: int, num_classes: int, *, margin: float = 0.2, scale: float = 30.0, momentum: float = 0.99
    ) -> None:
        super().__init__()
        if not 0 <= momentum <= 1:
            raise BadInput(f"momentum: {momentum:g} is no share; give 0 to 1")
        self.weight = class_weights(in_dim, num_classes)
        self.scale, self.momentum = check_positive("scale", scale), momentum
        self.register_buffer("margin", torch.tensor(float(margin)))
        self.register_buffer("typical", torch.tensor(0.0))
        self.set_margin(margin)

    def set_margin(self, value: float) -> None:
        """Ask for another margin from now on."""
        self.margin.fill_(check_margin(value, math.pi / 2))

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """s·cos t, without a margin."""
        with precisely(embedding):
            return cosine(embedding, self.weight, scale=self.scale)

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]:
        """The logits with the margin on each row's class and the hard classes weighed; τ moves on in training."""
        with precisely(embedding):
            cosines = cosine(embedding, self.weight)
            true = check_classes(speaker, *cosines.shape)[:, None]
            own = cosines.gather(1, true)
            if self.training:
                self.typical.lerp_(own.detach().mean(), 1 - self.momentum)
            asked = past(own, self.margin)
            weighed = torch.where(cosines > asked, cosines * (self.typical + cosines), cosines)
            return self.scale * weighed.scatter(1, true, asked)

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch of the weighed logits, in nats; τ moves on in training."""
        with precisely(embedding):
            return by_class(self._losses, checked(embedding, self.weight), speaker, len(self.weight))

    def _losses(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return functional.cross_entropy(self.penalised(embedding, speaker), speaker, reduction="none")
