"""What every wrapper does: a loss of its own over the penalised logits of the head it is given."""

from abc import abstractmethod

from jaxtyping import Float, Int
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import PenalisedHead, by_class, checked, pass_margin
from voxsphere.losses.softmax_head import SoftmaxHead


class HeadWrapper(SoftmaxHead):
    """A head around another, whose logits and margin are its own; `_each` is the loss of each row."""

    def __init__(self, head: PenalisedHead, num_classes: int) -> None:
        super().__init__()
        if not hasattr(head, "penalised"):
            raise BadInput(
                f"{type(self).__name__}: {type(head).__name__} is no softmax, whose logits could be worked on; take "
                "another head, such as AamSoftmax"
            )
        if isinstance(head, HeadWrapper):
            raise BadInput(
                f"{type(self).__name__}: the loss of {type(head).__name__} within would not be heard, only its logits; "
                "wrap a head itself, such as AamSoftmax"
            )
        self.head, self.num_classes = head, num_classes

    @property
    def weight(self) -> Tensor:
        """The head's class weights."""
        return self.head.weight

    def set_margin(self, value: float) -> None:
        """Set the head's margin, where it has one."""
        pass_margin(self.head, value)

    def _logits(self, embedding: Tensor) -> Tensor:
        return self.head.logits(embedding)

    def _penalised(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return self.head.penalised(embedding, speaker)

    def _loss(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return by_class(self._losses, checked(embedding, self.weight), speaker, self.num_classes)

    def _losses(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return self._each(self._penalised(embedding, speaker), speaker)

    @abstractmethod
    def _each(
        self, logits: Float[Tensor, "batch classes"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, " batch"]: ...
