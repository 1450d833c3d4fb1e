"""Label smoothing: a head that also has to leave a little to every other class."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import PenalisedHead
from voxsphere.losses.head_wrapper import HeadWrapper
from voxsphere.losses.margin import AamSoftmax


class LabelSmoothing(HeadWrapper):
    """The head's cross-entropy under (1 − ε)·one-hot + ε/C: a share ε is dealt out evenly to all C classes.

    Szegedy et al. 2016, Rethinking the Inception Architecture, arXiv:1512.00567, section 7. The logits are those that
    the head's own loss sees, with its margin on the true class alone. `epsilon` is 0 … 1. A head that is no softmax
    (SphereFace2) is refused.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, head: Callable[..., PenalisedHead] = AamSoftmax, epsilon: float = 0.1
    ) -> None:
        if not 0 <= epsilon <= 1:
            raise BadInput(f"epsilon: {epsilon:g} is no share; give 0 to 1")
        super().__init__(head(in_dim=in_dim, num_classes=num_classes), num_classes)
        self.epsilon = epsilon

    def _each(self, logits: Tensor, speaker: Tensor) -> Tensor:
        return functional.cross_entropy(logits, speaker, reduction="none", label_smoothing=self.epsilon)
