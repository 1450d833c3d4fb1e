"""Focal loss: a head that cares less for what it already tells right."""

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import PenalisedHead, Speaker, by_class, check_penalised, checked, pass_margin, precisely
from voxsphere.losses.margin import AamSoftmax


class Focal(nn.Module):
    """The head's cross-entropy, each row's weighed by (1 − p)^γ, where p is the share it gives the true class.

    Lin et al. 2017, Focal Loss, arXiv:1708.02002, eq. 4. p is that of the logits with the head's margin, and the
    gradient goes through the weight, too. `gamma` is 0 (the bare head) or more. A head that is no softmax
    (SphereFace2) is refused.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, head: Callable[..., PenalisedHead] = AamSoftmax, gamma: float = 2.0
    ) -> None:
        super().__init__()
        if not gamma >= 0:
            raise BadInput(f"gamma: {gamma:g} is not 0 or more")
        self.head = check_penalised(head(in_dim=in_dim, num_classes=num_classes), "Focal")
        self.num_classes, self.gamma = num_classes, gamma

    @property
    def weight(self) -> Tensor:
        """The head's class weights."""
        return self.head.weight

    def set_margin(self, value: float) -> None:
        """Set the head's margin, where it has one."""
        pass_margin(self.head, value)

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """The head's, without a margin."""
        return self.head.logits(embedding)

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]:
        """The head's, with its margin."""
        return self.head.penalised(embedding, speaker)

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean weighed cross-entropy over the batch, in nats."""
        with precisely(embedding):
            return by_class(self._losses, checked(embedding, self.weight), speaker, self.num_classes)

    def _losses(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        missed = functional.cross_entropy(self.penalised(embedding, speaker), speaker, reduction="none")
        # 1 - p, exact also where p is nearly 1; the floor keeps the gradient of a root (gamma below 1) finite.
        wrong = (-(-missed).expm1()).clamp_min(1e-12)
        return wrong.pow(self.gamma) * missed
