"""The hardest negative of every pair: the multitask system's mining."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from voxsphere.losses.distances import Distance, Measure
from voxsphere.losses.head import check_positive, precisely
from voxsphere.losses.miners.pairs import checked_labels, other_speaker, unordered


class HardestNegative(nn.Module):
    """For every unordered pair of one speaker's utterances, the first as anchor, the negative nearest to the anchor.

    The triplet is kept if max(0, d(a, p) − d(a, n) + margin) is above 0. Where none is, the multitask system takes an
    arbitrary triplet so that its loss is defined; here there is none, and the loss is 0. Give the options of the
    triplet loss that learns from them.
    """

    def __init__(self, *, distance: Distance = "euclidean", margin: float = 0.3, normalised: bool = True) -> None:
        super().__init__()
        self.measure, self.margin = Measure(distance, normalised), check_positive("margin", margin)

    @torch.no_grad()
    def forward(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]:
        """One triplet a pair at most, by anchor, then positive."""
        checked_labels(embedding, label)
        anchor, positive = unordered(label)
        with precisely(embedding):
            table = self.measure.table(embedding)
        away, negative = table.masked_fill(~other_speaker(label), torch.inf).min(1)
        kept = table[anchor, positive] - away[anchor] + self.margin > 0
        return torch.stack([anchor, positive, negative[anchor]], 1)[kept]
