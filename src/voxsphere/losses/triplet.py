"""Triplet loss: an anchor must be nearer to its own speaker's utterance than to another's, by a margin."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from voxsphere.losses.distances import Distance, Measure
from voxsphere.losses.head import check_positive, precisely
from voxsphere.losses.triplets import checked_triplets, mean_of


class Triplet(nn.Module):
    """max(0, d(a, p) − d(a, n) + margin), the mean over the triplets.

    Weinberger and Saul 2009; Schroff, Kalenichenko and Philbin 2015, FaceNet, arXiv:1503.03832, eq. 2 (`squared`,
    margin 0.2, on unit vectors). The defaults are those of the multitask system: Euclidean on unit vectors, 0.3. The
    deep-speaker form is distance "inner", margin 0.2, normalised or not; the SpkVer forms are "euclidean" on raw
    embeddings, "cosine", and "squared", margin 0.1. The margin is in units of the distance (see `Measure`).

    With `swap` the negative's distance is that to the nearer of anchor and positive: min(d(a, n), d(p, n))
    (Balntas et al. 2016, BMVC). Where all embeddings fall together the loss is the margin.
    """

    def __init__(
        self, *, distance: Distance = "euclidean", margin: float = 0.3, swap: bool = False, normalised: bool = True
    ) -> None:
        super().__init__()
        self.measure = Measure(distance, normalised)
        self.margin, self.swap = check_positive("margin", margin), swap

    def forward(self, embedding: Float[Tensor, "batch dim"], triplets: Int64[Tensor, "n 3"]) -> Float[Tensor, ""]:
        """The mean over the triplets, 0 of none."""
        return mean_of(self.each(embedding, triplets))

    def each(self, embedding: Float[Tensor, "batch dim"], triplets: Int64[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """The loss of every triplet."""
        anchor, positive, negative = checked_triplets(embedding, triplets)
        with precisely(embedding):
            away = self.measure.between(embedding, anchor, negative)
            if self.swap:
                away = torch.minimum(away, self.measure.between(embedding, positive, negative))
            return (self.measure.between(embedding, anchor, positive) - away + self.margin).relu()
