"""Contrastive loss: same speakers pulled together, others pushed out of a margin."""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from voxsphere.losses.distances import Measure
from voxsphere.losses.head import check_positive, precisely
from voxsphere.losses.triplets import checked_triplets, mean_of


class Contrastive(nn.Module):
    """d(a, p)² + max(0, margin − d(a, n))², d the Euclidean distance; the mean over the triplets.

    Hadsell, Chopra and LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping, eq. 4, whose halves are
    left out; each triplet is its two pairs. The paper gives no margin: 1 is a right angle less a little (1.41) of the
    unit vectors that `normalised` makes.
    """

    def __init__(self, *, margin: float = 1.0, normalised: bool = True) -> None:
        super().__init__()
        self.measure = Measure("euclidean", normalised)
        self.margin = check_positive("margin", margin)

    def forward(self, embedding: Float[Tensor, "batch dim"], triplets: Int64[Tensor, "n 3"]) -> Float[Tensor, ""]:
        """The mean over the triplets, 0 of none."""
        return mean_of(self.each(embedding, triplets))

    def each(self, embedding: Float[Tensor, "batch dim"], triplets: Int64[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """The loss of every triplet's two pairs."""
        anchor, positive, negative = checked_triplets(embedding, triplets)
        with precisely(embedding):
            near = self.measure.between(embedding, anchor, positive)
            away = self.measure.between(embedding, anchor, negative)
            return near.square() + (self.margin - away).relu().square()
