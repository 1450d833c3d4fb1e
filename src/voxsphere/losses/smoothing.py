"""Label smoothing: a head that also has to leave a little to every other class."""

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import PenalisedHead, Speaker, by_class, check_penalised, checked, pass_margin, precisely
from voxsphere.losses.margin import AamSoftmax


class LabelSmoothing(nn.Module):
    """The head's cross-entropy under (1 − ε)·one-hot + ε/C: a share ε is dealt out evenly to all C classes.

    Szegedy et al. 2016, Rethinking the Inception Architecture, arXiv:1512.00567, section 7. The logits are those that
    the head's own loss sees, with its margin on the true class alone. `epsilon` is 0 … 1. A head that is no softmax
    (SphereFace2) is refused.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, head: Callable[..., PenalisedHead] = AamSoftmax, epsilon: float = 0.1
    ) -> None:
        super().__init__()
        if not 0 <= epsilon <= 1:
            raise BadInput(f"epsilon: {epsilon:g} is no share; give 0 to 1")
        self.head = check_penalised(head(in_dim=in_dim, num_classes=num_classes), "LabelSmoothing")
        self.num_classes, self.epsilon = num_classes, epsilon

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
        """The mean smoothed cross-entropy over the batch, in nats."""
        with precisely(embedding):
            return by_class(self._losses, checked(embedding, self.weight), speaker, self.num_classes)

    def _losses(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        logits = self.penalised(embedding, speaker)
        return functional.cross_entropy(logits, speaker, reduction="none", label_smoothing=self.epsilon)
