"""Focal loss: a head that cares less for what it already tells right."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import PenalisedHead
from voxsphere.losses.head_wrapper import HeadWrapper
from voxsphere.losses.margin import AamSoftmax


class Focal(HeadWrapper):
    """The head's cross-entropy, each row's weighed by (1 − p)^γ, where p is the share it gives the true class.

    Lin et al. 2017, Focal Loss, arXiv:1708.02002, eq. 4. p is that of the logits with the head's margin, and the
    gradient goes through the weight, too. `gamma` is 0 (the bare head) or more. A head that is no softmax
    (SphereFace2) is refused.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, head: Callable[..., PenalisedHead] = AamSoftmax, gamma: float = 2.0
    ) -> None:
        if not gamma >= 0:
            raise BadInput(f"gamma: {gamma:g} is not 0 or more")
        super().__init__(head(in_dim=in_dim, num_classes=num_classes), num_classes)
        self.gamma = gamma

    def _each(self, logits: Tensor, speaker: Tensor) -> Tensor:
        missed = functional.cross_entropy(logits, speaker, reduction="none")
        # 1 - p, exact also where p is nearly 1; the floor keeps the gradient of a root (gamma below 1) finite.
        wrong = (-(-missed).expm1()).clamp_min(1e-12)
        return wrong.pow(self.gamma) * missed
