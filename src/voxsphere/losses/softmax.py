"""The softmax head: one affine map of the embedding, without a margin."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import Speaker, check_classes, checked, class_weights, cross_entropy, precisely


class Softmax(nn.Module):
    """Softmax over an affine map of the embedding: cross-entropy of W x + b."""

    def __init__(self, in_dim: int, num_classes: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        self.bias = nn.Parameter(torch.zeros(num_classes)) if bias else None

    def logits(self, embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch classes"]:
        """W x + b."""
        with precisely(embedding):
            return functional.linear(checked(embedding, self.weight), self.weight, self.bias)

    def penalised(
        self, embedding: Float[Tensor, "batch dim"], speaker: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch classes"]:
        """The logits: there is no margin."""
        logits = self.logits(embedding)
        check_classes(speaker, *logits.shape)
        return logits

    def forward(self, embedding: Float[Tensor, "batch dim"], speaker: Speaker) -> Float[Tensor, ""]:
        """The mean cross-entropy over the batch, in nats."""
        with precisely(embedding):
            return cross_entropy(self.logits(embedding), speaker, lambda true: true)
