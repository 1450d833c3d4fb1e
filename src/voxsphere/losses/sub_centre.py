"""Sub-centre AAM: a class is near if one of its several centres is."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import (
    Speaker,
    check_margin,
    check_positive,
    class_weights,
    cosine,
    cross_entropy,
    precisely,
    pushed,
)
from voxsphere.losses.margin import past


class SubCentreAam(nn.Module):
    """`AamSoftmax` whose cosine of a class is the highest of its centres': cos t = max_k cos(x, W_ck).

    Deng et al. 2020, Sub-center ArcFace, ECCV: noisy utterances of a speaker gather at centres of their own. `weight`
    has a class's centres in rows one after the other, as WeSpeaker's head has. `margin` is in radians, 0 … π/2.
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
        easy_margin: bool = False,
    ) -> None:
        super().__init__()
        self.centres = check_centres(centres)
        self.weight = class_weights(in_dim, num_classes, centres=centres)
        self.scale, self.easy_margin = check_positive("scale", scale), easy_margin
        self.register_buffer("margin", torch.tensor(float(margin)))
        self.set_margin(margin)

    def set_margin(self, value: float) -> None:
        """Ask for another margin from now on."""
        self.margin.fill_(check_margin(value, math.pi / 2))

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """s·cos t to each class's nearest centre, without a margin."""
        with precisely(embedding):
            return nearest(cosine(embedding, self.weight, scale=self.scale), self.centres)

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]:
        """The logits with the margin on each row's class."""
        with precisely(embedding):
            return pushed(self.logits(embedding), speaker, self._pushed)

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch with the margin on the true class, in nats."""
        with precisely(embedding):
            return cross_entropy(self.logits(embedding), speaker, self._pushed)

    def _pushed(self, true: Tensor) -> Tensor:
        return self.scale * past(true / self.scale, self.margin, easy=self.easy_margin)


def nearest(cosines: Float[Tensor, "batch classes*centres"], centres: int) -> Float[Tensor, "batch classes"]:
    """The highest of each class's cosines."""
    return cosines if centres == 1 else cosines.view(len(cosines), -1, centres).amax(2)


def check_centres(centres: int) -> int:
    """The number of centres, or `BadInput` if it is none."""
    if centres < 1:
        raise BadInput(f"centres: {centres} is none; give a class 1 or more")
    return centres
