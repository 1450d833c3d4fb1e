"""Rank-based mining: now and then one of the nearest negatives, else any."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.distances import Distance, Measure
from voxsphere.losses.head import precisely
from voxsphere.losses.miners.pairs import checked_labels, other_speaker, unordered


class RankBased(nn.Module):
    """One negative for every unordered pair of one speaker's utterances, the first as anchor.

    With `probability` it is drawn from the anchor's nearest negatives, those of ranks 0 to `rank`; else from all
    (voxceleb_trainer's hard_prob and hard_rank, with its trainer's defaults; there a batch has two utterances a
    speaker, and the negatives are the second ones). Give the distance of the loss that learns from them. Draws come
    from torch's generator.
    """

    def __init__(
        self,
        *,
        rank: int = 10,
        probability: float = 0.5,
        distance: Distance = "euclidean",
        normalised: bool = True,
    ) -> None:
        super().__init__()
        if rank < 0:
            raise BadInput(f"rank: {rank} is not 0 or more")
        if not 0 <= probability <= 1:
            raise BadInput(f"probability: {probability:g} is not within 0 and 1")
        self.rank, self.probability = rank, probability
        self.measure = Measure(distance, normalised)

    @torch.no_grad()
    def forward(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]:
        """One triplet a pair, by anchor, then positive."""
        checked_labels(embedding, label)
        other = other_speaker(label)
        anchor, positive = unordered(label)
        kept = other.any(1)[anchor]
        anchor, positive = anchor[kept], positive[kept]
        with precisely(embedding):
            table = self.measure.table(embedding)
        nearest_first = table.masked_fill(~other, torch.inf).argsort(1)
        among = other.sum(1)[anchor]
        hard, where = torch.rand(2, len(anchor), device=embedding.device)
        among = torch.where(hard < self.probability, among.clamp_max(self.rank + 1), among)
        place = (where * among).long().minimum(among - 1)  # the product may be rounded up
        return torch.stack([anchor, positive, nearest_first[anchor, place]], 1)
