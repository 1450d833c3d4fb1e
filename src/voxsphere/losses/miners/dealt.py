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
        begin = torch.cat([label.new_ones(1), label[order].diff()]).nonzero()[:, 0]
        end = torch.cat([begin[1:], begin.new_tensor([len(label)])])
        first, second, last = order[begin], order[torch.minimum(begin + 1, end - 1)], order[end - 1]
        kept = (end - begin > 1) & (len(begin) > 1)
        return torch.stack([first, second, last.roll(-1)], 1)[kept]
