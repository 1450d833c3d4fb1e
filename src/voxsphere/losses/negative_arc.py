"""Other classes brought nearer by drawn angles: the SpkVer system's "MinArc", as a penalty beside a head."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import check_classes, check_positive, cosine, precisely
from voxsphere.losses.penalties import check_more_than_one, checked_classes


class NegativeArc(nn.Module):
    """weight · cross-entropy of the logits s·cos θ_y and, for j ≠ y, s·cos max(0, θ_j − share·δ_j).

    δ_j ~ N(μ, σ²) is drawn anew for every row and class; μ and σ are mean and spread of the batch's true angles θ_y,
    and bear no gradient. So the others seem the nearer the farther off the batch still is from its own classes.

    The SpkVer system's MinArcSoftmax (its second form; no paper) has the same logits with a margin on the true class
    instead of a weight: there it is a head, here what is added to one. It lets cos(θ_j − …) fall again beyond 0; here
    it stays 1. Draws come from torch's generator.
    """

    def __init__(
        self, in_dim: int, num_classes: int, *, weight: float = 0.1, scale: float = 30.0, share: float = 0.1
    ) -> None:
        super().__init__()
        self.num_classes = check_more_than_one(num_classes)
        self.weight, self.scale = check_positive("weight", weight), check_positive("scale", scale)
        self.share = check_positive("share", share)

    def forward(
        self,
        embedding: Float[Tensor, "batch dim"],
        speaker: Int[Tensor, " batch"],
        classes: Float[Tensor, "classes dim"] | None,
    ) -> Float[Tensor, ""]:
        """The weighted mean over the batch."""
        with precisely(embedding):
            found = cosine(embedding, checked_classes(embedding, classes, self.num_classes))
            true = check_classes(speaker, *found.shape)[:, None]
            with torch.no_grad():
                angle = found.gather(1, true).clamp(-1, 1).arccos()
                drawn = angle.mean() + angle.std(correction=0) * torch.randn_like(found)
                nearer = (self.share * drawn).scatter(1, true, 0)
            # The floor keeps the root's gradient finite at cos θ = ±1, where rounding may also take cos² past 1.
            sine = (1 - found.square()).clamp_min(1e-12).sqrt()
            moved = found * nearer.cos() + sine * nearer.sin()  # cos(θ − nearer)
            moved = torch.where((nearer > 0) & (found > nearer.cos()), torch.ones_like(found), moved)
            moved = moved.scatter(1, true, found.gather(1, true))
            return self.weight * functional.cross_entropy(self.scale * moved, true[:, 0])
