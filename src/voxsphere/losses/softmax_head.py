"""What every softmax head does, whichever of its logits the true class changes."""

from abc import ABC, abstractmethod

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import Speaker, by_class, check_classes, checked, cross_entropy, precisely, pushed


class SoftmaxHead(nn.Module, ABC):
    """A `PenalisedHead` that autocast leaves alone; `_logits`, `_penalised` and `_loss` are the head itself."""

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """The logits without a margin, which know of no true class."""
        with precisely(embedding):
            return self._logits(embedding)

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]:
        """The logits that the loss sees, each row's class being the true one."""
        with precisely(embedding):
            return self._penalised(embedding, speaker)

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean over the batch of the loss of the penalised logits, in nats."""
        with precisely(embedding):
            return self._loss(embedding, speaker)

    @abstractmethod
    def _logits(self, embedding: Tensor) -> Tensor: ...

    @abstractmethod
    def _penalised(self, embedding: Tensor, speaker: Tensor) -> Tensor: ...

    @abstractmethod
    def _loss(self, embedding: Tensor, speaker: Tensor) -> Tensor: ...


class PushedHead(SoftmaxHead):
    """A softmax head whose margin is on the true class's own logit; `_push` puts it there."""

    def _penalised(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return pushed(self._logits(embedding), speaker, lambda true: self._push(true, embedding))

    def _loss(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return cross_entropy(self._logits(embedding), speaker, lambda true: self._push(true, embedding))

    @abstractmethod
    def _push(self, true: Float[Tensor, "batch any"], embedding: Float[Tensor, "batch dim"]) -> Tensor:
        """What logits become, each by itself, where their class is the true one; each row has its `embedding`."""


class RemadeHead(SoftmaxHead):
    """A softmax head over scaled cosines, of which the true class changes others than its own, too; `_remade` does.

    `_cosines` are those of the classes, times a scale.
    """

    weight: Tensor
    scale: float
    num_classes: int

    def _logits(self, embedding: Tensor) -> Tensor:
        return self._cosines(embedding, self.scale)

    def _penalised(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        cosines = self._cosines(embedding, 1.0)
        return self.scale * self._remade(cosines, check_classes(speaker, *cosines.shape)[:, None])

    def _loss(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return by_class(self._losses, checked(embedding, self.weight), speaker, self.num_classes)

    def _losses(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return functional.cross_entropy(self._penalised(embedding, speaker), speaker, reduction="none")

    @abstractmethod
    def _cosines(self, embedding: Tensor, scale: float) -> Tensor: ...

    @abstractmethod
    def _remade(self, cosines: Float[Tensor, "batch classes"], true: Int[Tensor, "batch 1"]) -> Tensor:
        """The cosines that the loss sees; `true` is the class of each row."""
