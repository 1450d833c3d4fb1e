"""Triplets put together by their place in the batch: nothing is mined."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from voxsphere.losses.miners.pairs import checked_labels


class ByIndex(nn.Module):
    """The first half of a speaker's utterances with the second half, one by one, and with the next speaker's.

    Deep-speaker v2's triplets: of two speakers a batch, the first one's utterances are anchors and positives, paired by
    index, and the second one's are negatives. Here every speaker is the first in turn, and the next one (after the last
    the first again) gives the negatives: a batch of two speakers × 300 utterances makes 300 triplets, where the
    original draws 900 utterances for as many. A speaker's last utterance, of an odd number, is nobody's anchor.
    """

    @torch.no_grad()
    def forward(self, embedding: Float[Tensor, "batch dim"], label: Int[Tensor, " batch"]) -> Int64[Tensor, "n 3"]:
        """By speaker, then by index; none where there is one speaker alone."""
        checked_labels(embedding, label)
        members = [torch.nonzero(label == speaker).flatten() for speaker in torch.unique(label)]
        if len(members) < 2:
            return torch.zeros(0, 3, dtype=torch.int64, device=embedding.device)
        return torch.cat([_of(own, other) for own, other in zip(members, members[1:] + members[:1], strict=True)])


def _of(own: Int64[Tensor, " members"], other: Int64[Tensor, " others"]) -> Int64[Tensor, "n 3"]:
    half = len(own) // 2
    return torch.stack([own[:half], own[half : 2 * half], other[torch.arange(half, device=own.device) % len(other)]], 1)
