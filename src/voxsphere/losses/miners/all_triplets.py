"""Every triplet that a batch holds."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from voxsphere.losses.miners.pairs import checked_labels, joined, ordered, other_speaker


class AllTriplets(nn.Module):
    """Every ordered pair of one speaker's utterances with every utterance of the others."""

    @torch.no_grad()
    def forward(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]:
        """All of them, by anchor, then positive, then negative."""
        checked_labels(embedding, label)
        anchor, positive = ordered(label)
        return joined(anchor, positive, other_speaker(label)[anchor])
