"""Batch hard: every utterance with its farthest positive and its nearest negative."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from voxsphere.losses.distances import Distance, Measure
from voxsphere.losses.head import precisely
from voxsphere.losses.miners.pairs import checked_labels, other_speaker, same_speaker


class BatchHard(nn.Module):
    """Hermans, Beyer and Leibe 2017, In Defense of the Triplet Loss for Person Re-Identification, arXiv:1703.07737, §2.

    Every utterance is an anchor once. Give the distance of the triplet loss that learns from them.
    """

    def __init__(self, *, distance: Distance = "euclidean", normalised: bool = True) -> None:
        super().__init__()
        self.measure = Measure(distance, normalised)

    @torch.no_grad()
    def forward(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]:
        """One triplet a row that has both a positive and a negative, in the rows' order."""
        checked_labels(embedding, label)
        same, other = same_speaker(label), other_speaker(label)
        anchor = (same.any(1) & other.any(1)).nonzero()[:, 0]
        with precisely(embedding):
            table = self.measure.table(embedding)
        farthest = table.masked_fill(~same, -torch.inf).argmax(1)
        nearest = table.masked_fill(~other, torch.inf).argmin(1)
        return torch.stack([anchor, farthest[anchor], nearest[anchor]], 1)
