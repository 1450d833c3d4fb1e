"""N-pair loss: an anchor against its own positive, and at once against every other speaker's."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import precisely
from voxsphere.losses.tuples import checked_tuples


class NPair(nn.Module):
    """Multi-class N-pair loss. Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss, NIPS.

    L = mean_j log(1 + Σ_{k≠j} exp(f_jᵀ f⁺_k − f_jᵀ f⁺_j)) + shrinkage/2 · mean ‖f‖², where f_j is utterance 0 of
    speaker j and f⁺_j utterance 1. Of more utterances each serves as positive in turn, and the mean is taken. Inner
    products are of the raw embeddings; `shrinkage` keeps these from growing (0.002 with the half is that of
    TensorFlow's npairs_loss).
    """

    def __init__(self, *, shrinkage: float = 0.002) -> None:
        super().__init__()
        if not 0 <= shrinkage < float("inf"):
            raise BadInput(f"shrinkage: {shrinkage:g} is not a number of 0 or more")
        self.shrinkage = shrinkage

    def forward(self, tuples: Float[Tensor, "speakers utterances dim"]) -> Float[Tensor, ""]:
        """The mean over speakers and their positives, in nats, and the shrinkage."""
        with precisely(tuples):
            tuples = checked_tuples(tuples)
            positives = tuples[:, 1:].transpose(0, 1)
            logits = tuples[:, 0] @ positives.transpose(1, 2)  # positive's turn, anchor, positive's speaker
            own = torch.arange(len(tuples), device=tuples.device).repeat(len(positives))
            length = tuples.square().sum(2).mean()
            return functional.cross_entropy(logits.flatten(0, 1), own) + self.shrinkage / 2 * length
