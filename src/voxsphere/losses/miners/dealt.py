"""Triplets as they were dealt, nothing mined: two utterances of a speaker and one of the next."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from voxsphere.losses.miners.pairs import checked_labels


class Dealt(nn.Module):
    """One triplet a speaker: the first utterance, the second, and the last one of the batch's next speaker.

    With three utterances each, each is in one triplet and none was chosen by where it lies: the plain mode of
    multitask_asv, which draws two utterances of a speaker and one of a random other. The sampler draws who is next;
    the first speaker is the last one's. Who has one utterance is nobody's anchor; one speaker alone makes no triplet.
    """

    @torch.no_grad()
    def forward(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]:
        """One triplet for each speaker with two utterances or more, by label."""
        checked_labels(embedding, label)
        order = label.argsort(stable=True)
        _, count = label[order].unique_consecutive(return_counts=True)
        if len(count) < 2:
            return label.new_empty((0, 3), dtype=torch.int64)
        end = count.cumsum(0)
        first, last = order[end - count], order[end - 1]
        second = order[(end - count + 1).clamp_max(len(label) - 1)]
        return torch.stack([first, second, last.roll(-1)], 1)[count > 1]
