"""Inter-top-K AAM: the classes most easily mistaken for the true one are taken for nearer than they are."""

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
from voxsphere.losses.sub_centre import check_centres, nearest


class InterTopKAam(nn.Module):
    """`SubCentreAam` in which the K other classes that are nearest have the logit s·cos(t − m′).

    Zhao et al. 2022, Multi-query multi-head attention pooling and inter-topK penalty for speaker verification,
    arXiv:2110.05042, with three centres a class as in their system. `top` is K, `penalty` is m′ in radians,
    `margin`, in radians too, the true class's m.

    Departs from the equation where t < m′: there the cosine would fall again, so the logit goes on as
    s·(cos t + 1 − cos m′) and keeps rising as the wrong class comes nearer. The penalty is the same whatever the margin
    grows to (WeSpeaker's grows with it).
    """

    margin: Tensor

    def __init__(
        self,
        in_dim: int,
        num_classes: int,
        *,
        margin: float = 0.2,
        scale: float = 30.0,
        centres: int = 3,
        top: int = 5,
        penalty: float = 0.06,
    ) -> None:
        super().__init__()
        if not 1 <= top < num_classes:
            raise BadInput(
                f"top: {top} of the {num_classes - 1} classes that are not the true one; give 1 or more of them"
            )
        if not 0 <= penalty <= math.pi / 2:
            raise BadInput(f"penalty: {penalty:g} is not within 0 and {math.pi / 2:.4g}")
        self.centres = check_centres(centres)
        self.weight = class_weights(in_dim, num_classes, centres=centres)
        self.scale, self.top, self.penalty = check_positive("scale", scale), top, penalty
        self.register_buffer("margin", torch.tensor(float(margin)))
        self.set_margin(margin)

    def set_margin(self, value: float) -> None:
        """Ask for another margin from now on."""
        self.margin.fill_(check_margin(value, math.pi / 2))

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """s·cos t to each class's nearest centre, without margin or penalty."""
        with precisely(embedding):
            return nearest(cosine(embedding, self.weight, scale=self.scale), self.centres)

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]:
        """The logits with the margin on each row's class and the penalty on the others nearest to it."""
        with precisely(embedding):
            cosines = nearest(cosine(embedding, self.weight), self.centres)
            true = check_classes(speaker, *cosines.shape)[:, None]
            confused = cosines.detach().scatter(1, true, -math.inf).topk(self.top).indices
            cosines = cosines.scatter(1, confused, before(cosines.gather(1, confused), self.penalty))
            return self.scale * cosines.scatter(1, true, past(cosines.gather(1, true), self.margin))

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch with margin and penalty, in nats."""
        with precisely(embedding):
            return by_class(self._losses, checked(embedding, self.weight), speaker, len(self.weight) // self.centres)

    def _losses(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return functional.cross_entropy(self.penalised(embedding, speaker), speaker, reduction="none")


def before(cosine: Tensor, penalty: float) -> Tensor:
    """cos(t − m′) of cos t, in the form that keeps rising where t is below m′."""
    c, s = math.cos(penalty), math.sin(penalty)
    sine = (1 - cosine.square()).clamp_min(1e-12).sqrt()
    return torch.where(cosine < c, cosine * c + sine * s, cosine + 1 - c)
