"""Semi-hard: negatives farther than the positive, but within the margin."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from voxsphere.losses.distances import Distance, Measure
from voxsphere.losses.head import check_positive, precisely
from voxsphere.losses.miners.pairs import checked_labels, joined, ordered, other_speaker


class SemiHard(nn.Module):
    """Negatives with d(a, p) < d(a, n) < d(a, p) + margin, for every ordered pair of one speaker's utterances.

    Schroff, Kalenichenko and Philbin 2015, FaceNet, arXiv:1503.03832, §3.2, whose distance is "squared" and margin 0.2.
    Of each pair the nearest of them, or with `every` all of them. The paper leaves open which one; a pair that has
    none makes no triplet here (voxceleb_trainer then draws any negative). Give the options of the triplet loss that
    learns from them.
    """

    def __init__(
        self, *, distance: Distance = "euclidean", margin: float = 0.3, normalised: bool = True, every: bool = False
    ) -> None:
        super().__init__()
        self.measure, self.margin = Measure(distance, normalised), check_positive("margin", margin)
        self.every = every

    @torch.no_grad()
    def forward(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]:
        """By anchor, then positive, then negative."""
        checked_labels(embedding, label)
        anchor, positive = ordered(label)
        with precisely(embedding):
            table = self.measure.table(embedding)
        near, away = table[anchor, positive][:, None], table[anchor]
        semi = other_speaker(label)[anchor] & (near < away) & (away < near + self.margin)
        if self.every:
            return joined(anchor, positive, semi)
        nearest = away.masked_fill(~semi, torch.inf).argmin(1)
        return torch.stack([anchor, positive, nearest], 1)[semi.any(1)]
