"""w·cos + b with learnt w and b: what turns cosines into logits in GE2E and the angular prototypical loss."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import check_positive


class ScaledCosine(nn.Module):
    """w·cos + b, w > 0 (Wan et al. 2018, eq. 5).

    The paper says that w is kept above 0, not how; clamping it leaves it stuck where the clamp has no gradient. Here
    w = log(1 + exp r) of a learnt r, which is r itself within 5e-5 from 10 on, so that learning rates mean what they
    mean elsewhere.
    """

    def __init__(self, w: float, b: float) -> None:
        super().__init__()
        check_positive("w", w)
        self.r = nn.Parameter(torch.tensor(w + math.log(-math.expm1(-w))))
        self.b = nn.Parameter(torch.tensor(float(b)))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The slope, which does not decay."""
        return [{"params": [self.r], "weight_decay": 0.0}]

    @property
    def w(self) -> Tensor:
        """The slope."""
        return functional.softplus(self.r)

    def forward(self, cosine: Tensor) -> Tensor:
        """w·cos + b."""
        return self.w * cosine + self.b
