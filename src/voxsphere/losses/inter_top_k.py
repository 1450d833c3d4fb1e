"""Inter-top-K AAM: the classes most easily mistaken for the true one are taken for nearer than they are."""

import math

import torch
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import check_positive, class_weights, cosine
from voxsphere.losses.margin import past
from voxsphere.losses.scheduled_margin import ScheduledMargin
from voxsphere.losses.softmax_head import RemadeHead
from voxsphere.losses.sub_centre import check_centres, nearest


class InterTopKAam(ScheduledMargin, RemadeHead):
    """`SubCentreAam` in which the K other classes that are nearest have the logit s·cos(t − m′).

    Zhao et al. 2022, Multi-query multi-head attention pooling and inter-topK penalty for speaker verification,
    arXiv:2110.05042, with three centres a class as in their system. `top` is K, `penalty` is m′ in radians,
    `margin`, in radians too, the true class's m.

    Departs from the equation where t < m′: there the cosine would fall again, so the logit goes on as
    s·(cos t + 1 − cos m′) and keeps rising as the wrong class comes nearer. The penalty is the same whatever the margin
    grows to (WeSpeaker's grows with it).
    """

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
        self.centres, self.num_classes = check_centres(centres), num_classes
        self.weight = class_weights(in_dim, num_classes, centres=centres)
        self.scale, self.top, self.penalty = check_positive("scale", scale), top, penalty
        self._begin_with(margin, most=math.pi / 2)

    def _cosines(self, embedding: Tensor, scale: float) -> Tensor:
        return nearest(cosine(embedding, self.weight, scale=scale), self.centres)

    def _remade(self, cosines: Tensor, true: Tensor) -> Tensor:
        confused = cosines.detach().scatter(1, true, -math.inf).topk(self.top).indices
        cosines = cosines.scatter(1, confused, before(cosines.gather(1, confused), self.penalty))
        return cosines.scatter(1, true, past(cosines.gather(1, true), self.margin))


def before(cosine: Tensor, penalty: float) -> Tensor:
    """cos(t − m′) of cos t, in the form that keeps rising where t is below m′."""
    c, s = math.cos(penalty), math.sin(penalty)
    sine = (1 - cosine.square()).clamp_min(1e-12).sqrt()
    return torch.where(cosine < c, cosine * c + sine * s, cosine + 1 - c)
