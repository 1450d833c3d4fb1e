"""Centre loss: embeddings stay near a learnt centre of their class."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from voxsphere.losses.head import check_classes, check_positive, checked, class_weights, precisely


class CenterLoss(nn.Module):
    """weight · mean ‖x_i − c_{y_i}‖, or with `squared` weight · mean ½‖x_i − c_{y_i}‖².

    Wen, Zhang, Li and Qiao 2016, A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV, eq. 2 (the
    squared form, whose weight is 0.003 there). The default is that of the SpkVer system: the distance itself, 0.1.

    The centres are drawn from a normal distribution and learn by the optimiser at `rate` times the scheduled learning
    rate, without weight decay; the paper moves them by a running mean instead (eq. 4, its α = 0.5). As their gradient
    bears `weight` too, plain SGD moves them weight · rate as far.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, weight: float = 0.1, squared: bool = False, rate: float = 1.0
    ) -> None:
        super().__init__()
        self.weight, self.squared = check_positive("weight", weight), squared
        self.rate = check_positive("rate", rate)
        self.centres = nn.init.normal_(class_weights(in_dim, num_classes))

    def forward(
        self,
        embedding: Float[Tensor, "batch dim"],
        speaker: Int[Tensor, " batch"],
        classes: Float[Tensor, "classes dim"] | None = None,
    ) -> Float[Tensor, ""]:
        """The weighted mean over the batch; `classes` is not read."""
        with precisely(embedding):
            x = checked(embedding, self.centres)
            away = x - self.centres[check_classes(speaker, len(x), len(self.centres))]
            if self.squared:
                return self.weight * away.square().sum(1).mean() / 2
            distance: Tensor = torch.linalg.vector_norm(away, dim=1)
            return self.weight * distance.mean()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The centres, at their own rate."""
        return [{"params": [self.centres], "rate": self.rate, "weight_decay": 0.0}]
