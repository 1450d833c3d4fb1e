"""A loss on triplets and a miner, made a loss on tuples."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.contract import Miner, TripletLoss
from voxsphere.losses.triplets import mean_of
from voxsphere.losses.tuples import checked_tuples, rows


class Mined(nn.Module):
    """The batch's triplets that the miner chooses, by the loss: exactly 0, with gradients of 0, where it finds none.

    Give loss and miner the same distance, or a miner chooses by what the loss does not see; a different one is
    refused. Of the last batch `triplets` holds how many were mined, and `active` which share of them had a loss above
    0 (0 of none): both are buffers for an objective to log, and are not saved.
    """

    triplets: Tensor
    active: Tensor

    def __init__(self, *, loss: Callable[..., TripletLoss], miner: Callable[..., Miner]) -> None:
        super().__init__()
        self.loss, self.miner = loss(), miner()
        seen, chosen = (getattr(part, "measure", None) for part in (self.loss, self.miner))
        if seen is not None and chosen is not None and seen != chosen:
            raise BadInput(f"loss measures {seen} but miner {chosen}; give both the same distance and normalised")
        self.register_buffer("triplets", torch.tensor(0), persistent=False)
        self.register_buffer("active", torch.tensor(0.0), persistent=False)

    def forward(self, tuples: Float[Tensor, "speakers utterances dim"]) -> Float[Tensor, ""]:
        """The loss's mean over the mined triplets."""
        embedding, label = rows(checked_tuples(tuples, speakers=1, utterances=1))
        each = self.loss.each(embedding, self.miner(embedding, label))
        self.triplets.fill_(len(each))
        self.active.fill_(mean_of((each.detach() > 0).float()))
        return mean_of(each)
