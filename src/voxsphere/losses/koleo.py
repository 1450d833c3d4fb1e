"""Entropy regulariser: embeddings spread out, each away from its nearest neighbour."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import check_positive, precisely
from voxsphere.losses.penalties import checked_rows


class KoLeo(nn.Module):
    """−lamb · mean_i d_i, or in the form "log" −lamb · mean_i log(d_i + 1e-6); d_i is how far the nearest other is.

    Distances are Euclidean, between the batch's embeddings at unit length, whoever speaks. The log is the
    Kozachenko-Leonenko estimate of the entropy (Sablayrolles, Douze, Schmid and Jégou 2019, Spreading vectors for
    similarity search, arXiv:1806.03198); the distance itself is the multitask system's, which has it beside
    mined triplets only. Who is nearest is searched without gradient. One embedding has no other: 0.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, lamb: float = 1e-3, form: Literal["distance", "log"] = "distance"
    ) -> None:
        super().__init__()
        if form not in ("distance", "log"):
            raise BadInput(f"form: {form!r} is not one of distance, log")
        self.lamb, self.form = check_positive("lamb", lamb), form

    def forward(
        self,
        embedding: Float[Tensor, "batch dim"],
        speaker: Int[Tensor, " batch"],
        classes: Float[Tensor, "classes dim"] | None = None,
    ) -> Float[Tensor, ""]:
        """The mean over the batch, times −lamb; `speaker` and `classes` are not read."""
        with precisely(embedding):
            unit = functional.normalize(checked_rows(embedding))
            if len(unit) < 2:
                return 0 * unit.sum()
            with torch.no_grad():
                nearest = (unit @ unit.T).fill_diagonal_(-torch.inf).argmax(1)
            distance: Tensor = torch.linalg.vector_norm(unit - unit[nearest], dim=1)
            return -self.lamb * (distance if self.form == "distance" else (distance + 1e-6).log()).mean()
