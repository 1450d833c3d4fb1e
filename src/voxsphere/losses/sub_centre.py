"""Sub-centre AAM: a class is near if one of its several centres is."""

import math

from jaxtyping import Float
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import check_positive, class_weights, cosine
from voxsphere.losses.margin import past
from voxsphere.losses.scheduled_margin import ScheduledMargin
from voxsphere.losses.softmax_head import PushedHead


class SubCentreAam(ScheduledMargin, PushedHead):
    """`AamSoftmax` whose cosine of a class is the highest of its centres': cos t = max_k cos(x, W_ck).

    Deng et al. 2020, Sub-center ArcFace, ECCV: noisy utterances of a speaker gather at centres of their own. `weight`
    has a class's centres in rows one after the other, as WeSpeaker's head has. `margin` is in radians, 0 … π/2.
    """

    def __init__(
        self,
        in_dim: int,
        num_classes: int,
        *,
        margin: float = 0.2,
        scale: float = 30.0,
        centres: int = 3,
        easy_margin: bool = False,
    ) -> None:
        super().__init__()
        self.centres = check_centres(centres)
        self.weight = class_weights(in_dim, num_classes, centres=centres)
        self.scale, self.easy_margin = check_positive("scale", scale), easy_margin
        self._begin_with(margin, most=math.pi / 2)

    def _logits(self, embedding: Tensor) -> Tensor:
        return nearest(cosine(embedding, self.weight, scale=self.scale), self.centres)

    def _push(self, true: Tensor, embedding: Tensor) -> Tensor:
        return self.scale * past(true / self.scale, self.margin, easy=self.easy_margin)


def nearest(cosines: Float[Tensor, "batch classes*centres"], centres: int) -> Float[Tensor, "batch classes"]:
    """The highest of each class's cosines."""
    return cosines if centres == 1 else cosines.view(len(cosines), -1, centres).amax(2)


def check_centres(centres: int) -> int:
    """The number of centres, or `BadInput` if it is none."""
    if centres < 1:
        raise BadInput(f"centres: {centres} is none; give a class 1 or more")
    return centres
