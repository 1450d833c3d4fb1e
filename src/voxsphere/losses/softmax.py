"""The softmax head: one affine map of the embedding, without a margin."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import check_classes, checked, class_weights, cross_entropy
from voxsphere.losses.softmax_head import SoftmaxHead


class Softmax(SoftmaxHead):
    """Softmax over an affine map of the embedding: cross-entropy of W x + b.

    With `normalised` x is the embedding at unit length, as in the multitask system (multitask_asv), whose triplet loss
    sees the same unit vectors.
    """

    def __init__(self, in_dim: int, num_classes: int, *, bias: bool = True, normalised: bool = False) -> None:
        super().__init__()
        self.normalised = normalised
        self.weight = class_weights(in_dim, num_classes)
        self.bias = nn.Parameter(torch.zeros(num_classes)) if bias else None

    def _logits(self, embedding: Tensor) -> Tensor:
        x = checked(embedding, self.weight)
        return functional.linear(functional.normalize(x) if self.normalised else x, self.weight, self.bias)

    def _penalised(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        # There is no margin; the logits need no copy to put it in.
        logits = self._logits(embedding)
        check_classes(speaker, *logits.shape)
        return logits

    def _loss(self, embedding: Tensor, speaker: Tensor) -> Tensor:
        return cross_entropy(self._logits(embedding), speaker, lambda true: true)
