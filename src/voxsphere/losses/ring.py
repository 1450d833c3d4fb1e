"""Ring loss: embeddings of one length, which is learnt."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from voxsphere.losses.head import check_positive, precisely
from voxsphere.losses.penalties import checked_rows


class RingLoss(nn.Module):
    """weight · mean (‖x_i‖ − R)², R learnt.

    Zheng, Pal and Savvides 2018, Ring loss, arXiv:1803.00130, with its weight but without its half. R begins at
    `radius`: 12 as in the SpkVer system (the paper takes the first batches' mean length).
    """

    def __init__(self, in_dim: int, num_classes: int, *, weight: float = 0.01, radius: float = 12.0) -> None:
        super().__init__()
        self.weight = check_positive("weight", weight)
        self.radius = nn.Parameter(torch.tensor(float(check_positive("radius", radius))))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The radius, which does not decay."""
        return [{"params": [self.radius], "weight_decay": 0.0}]

    def forward(
        self,
        embedding: Float[Tensor, "batch dim"],
        speaker: Int[Tensor, " batch"],
        classes: Float[Tensor, "classes dim"] | None = None,
    ) -> Float[Tensor, ""]:
        """The weighted mean over the batch; `speaker` and `classes` are not read."""
        with precisely(embedding):
            length: Tensor = torch.linalg.vector_norm(checked_rows(embedding), dim=1)
            return self.weight * (length - self.radius).square().mean()
