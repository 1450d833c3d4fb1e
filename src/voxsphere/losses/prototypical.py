"""Prototypical losses: a speaker's first utterance must find the mean of the speaker's others among all means."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import precisely
from voxsphere.losses.scaled_cosine import ScaledCosine
from voxsphere.losses.tuples import checked_tuples


class Prototypical(nn.Module):
    """Softmax over squared distances: the logit of query j for prototype k is −‖q_j − c_k‖².

    Snell, Swersky and Zemel 2017, Prototypical Networks for Few-shot Learning, arXiv:1703.05175, eq. 2, with utterance
    0 as the query and the mean of the others as the prototype (Chung et al. 2020, arXiv:2003.11982, §2.2). The
    embeddings are taken as they are: their length is the scale of the logits.
    """

    def forward(self, tuples: Float[Tensor, "speakers utterances dim"]) -> Float[Tensor, ""]:
        """The mean cross-entropy over the speakers, in nats."""
        with precisely(tuples):
            query, prototype = _query_and_prototype(tuples)
            # The differences themselves: long embeddings close to each other would drown in ‖q‖² + ‖c‖² − 2q·c.
            distance = torch.cdist(query, prototype, compute_mode="donot_use_mm_for_euclid_dist")
            return _cross_entropy(-distance.square())


class AngularPrototypical(nn.Module):
    """Softmax over scaled cosines: the logit of query j for prototype k is w·cos(q_j, c_k) + b.

    Chung et al. 2020, In defence of metric learning for speaker recognition, arXiv:2003.11982, §2.2: utterance 0 is
    the query, the mean of the others the prototype. w and b learn, and begin at the options' values; w stays above 0.
    b moves nothing here: the softmax takes no notice of it.
    """

    def __init__(self, *, w: float = 10.0, b: float = -5.0) -> None:
        super().__init__()
        self.scale = ScaledCosine(w, b)

    def forward(self, tuples: Float[Tensor, "speakers utterances dim"]) -> Float[Tensor, ""]:
        """The mean cross-entropy over the speakers, in nats."""
        with precisely(tuples):
            query, prototype = _query_and_prototype(tuples)
            return _cross_entropy(self.scale(functional.normalize(query) @ functional.normalize(prototype).T))


def _query_and_prototype(tuples: Tensor) -> tuple[Tensor, Tensor]:
    tuples = checked_tuples(tuples)
    return tuples[:, 0], tuples[:, 1:].mean(1)


def _cross_entropy(logits: Float[Tensor, "speakers speakers"]) -> Tensor:
    return functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))
