"""A-Softmax: the angle to the true class is taken m times."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import check_margin, checked, class_weights
from voxsphere.losses.softmax_head import PushedHead


class ASoftmax(PushedHead):
    """Angular softmax: the true class's logit is ‖x‖·(λ·cos t + ψ(t))/(1 + λ), the others' ‖x‖·cos t.

    Liu et al. 2017, SphereFace, arXiv:1704.08063, eq. 7 and appendix (annealing): ψ(t) = (−1)^k·cos(m·t) − 2k for t in
    [kπ/m, (k + 1)π/m], which falls from 1 to 1 − 2m over 0 … π. Class weights count by their direction, without bias;
    embeddings by their length too. `margin` is m, 1 (no margin) to 4; `plain` is λ, the weight of the plain logit:
    what a schedule sets is λ, as `LambdaAnnealing` does, and the default is where that ends.

    The gradient is that of the equation (the authors' Caffe layer rescales it).
    """

    plain: Tensor

    def __init__(self, in_dim: int, num_classes: int, *, margin: int = 4, plain: float = 5.0) -> None:
        super().__init__()
        if margin not in (1, 2, 3, 4):
            raise BadInput(f"margin: {margin} is not 1, 2, 3 or 4, by which A-Softmax multiplies the angle")
        self.weight = class_weights(in_dim, num_classes)
        self.margin = margin
        self.register_buffer("plain", torch.tensor(float(plain)))
        self.set_margin(plain)

    def set_margin(self, value: float) -> None:
        """Set λ: the higher, the less of a margin is asked for."""
        self.plain.fill_(check_margin(value, math.inf, name="plain"))

    def _logits(self, embedding: Tensor) -> Tensor:
        return functional.linear(checked(embedding, self.weight), functional.normalize(self.weight))

    def _push(self, true: Tensor, embedding: Tensor) -> Tensor:
        x = checked(embedding, self.weight)
        length: Tensor = torch.linalg.vector_norm(x, dim=1, keepdim=True).clamp_min(1e-12)
        cosine = true / length
        return length * (self.plain * cosine + multiplied(cosine, self.margin)) / (1 + self.plain)


def multiplied(cosine: Tensor, m: int) -> Tensor:
    """ψ(t) of cos t.

    cos(m·t) is Chebyshev's polynomial T_m(cos t), so neither the angle is needed nor its gradient, which has no end at
    cos t = ±1. k counts the bounds jπ/m that the angle is past.
    """
    before, power = torch.ones_like(cosine), cosine
    for _ in range(m - 1):
        before, power = power, 2 * cosine * power - before
    k = torch.zeros_like(cosine)
    for j in range(1, m):
        k = k + (cosine < math.cos(j * math.pi / m))
    return (1 - 2 * (k % 2)) * power - 2 * k
