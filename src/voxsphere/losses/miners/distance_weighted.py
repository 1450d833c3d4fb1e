"""Distance-weighted sampling: negatives at every distance alike, however crowded that distance is."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.distances import Measure
from voxsphere.losses.head import precisely
from voxsphere.losses.miners.pairs import checked_labels, ordered, other_speaker


class DistanceWeighted(nn.Module):
    """One negative drawn for every ordered pair of one speaker's utterances, with a chance of 1/q(d(a, n)).

    Wu, Manmatha, Smola and Krähenbühl 2017, Sampling Matters in Deep Embedding Learning, arXiv:1706.07567, §4.1:
    q(d) ∝ d^(D−2)·(1 − d²/4)^((D−3)/2) is the density of Euclidean distances d between points drawn evenly from the
    unit sphere in D dimensions. As in the authors' code, distances below `nearest` count as `nearest`, which bounds the
    weights, and negatives beyond `farthest`, which no usual margin reaches, are not drawn, unless the anchor has no
    others: then all alike. Draws come from torch's generator.
    """

    def __init__(self, *, nearest: float = 0.5, farthest: float = 1.4) -> None:
        super().__init__()
        if not 0 < nearest < farthest <= 2:
            raise BadInput(
                f"nearest {nearest:g}, farthest {farthest:g}: distances of unit vectors, 0 < nearest < farthest ≤ 2"
            )
        self.measure = Measure("euclidean", normalised=True)
        self.nearest, self.farthest = nearest, farthest

    @torch.no_grad()
    def forward(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]:
        """One triplet a pair, by anchor, then positive."""
        checked_labels(embedding, label)
        other = other_speaker(label)
        anchor, positive = ordered(label)
        kept = other.any(1)[anchor]
        anchor, positive = anchor[kept], positive[kept]
        negative = self.chances(embedding, other)[anchor].multinomial(1)[:, 0]
        return torch.stack([anchor, positive, negative], 1)

    def chances(self, embedding: Float[Tensor, "batch dim"], other: Tensor) -> Float[Tensor, "batch batch"]:
        """Each row's weights of its negatives, the largest 1; rows without a negative are all 0."""
        with precisely(embedding):
            table = self.measure.table(embedding)
        # Two opposite vectors would have a weight of 1/0 where `farthest` lets them in.
        d = table.clamp(self.nearest, 2 - 1e-3)
        dim = embedding.shape[1]
        weight = -(dim - 2) * d.log() - (dim - 3) / 2 * (-d.square() / 4).log1p()
        near = other & (table < self.farthest)
        weight = weight.masked_fill(~near, -torch.inf)
        weight = (weight - weight.amax(1, keepdim=True)).exp()
        return torch.where(near.any(1, keepdim=True), weight, other.to(weight.dtype))
