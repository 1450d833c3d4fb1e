"""The softmax head: one affine map of the embedding, without a margin."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import check_classes, checked, class_weights, cross_entropy
from voxsphere.losses.softmax_head import SoftmaxHead


class Softmax(SoftmaxHead):
    """Softmax over an affine map of the embedding: cross-entropy of W x + b."""

    def __init__(self, in_dim: int, num_classes: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = class_weights(in_dim, num_classes)
        self.bias = nn.Parameter(torch.zeros(num_classes)) if bias else None

    def _logits(self, embedding: Tensor) -> Tensor:
        return functional.linear(checked(embedding, self.weight), self.weight, self.bias)

    def _penalised(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        # There is no margin; the logits need no copy to put it in.
        logits = self._logits(embedding)
        check_classes(speaker, *logits.shape)
        return logits

    def _loss(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return cross_entropy(self._logits(embedding), speaker, lambda true: true)
