"""Generalised end-to-end loss: each utterance near its speaker's centroid, far from the others'."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import precisely
from voxsphere.losses.scaled_cosine import ScaledCosine
from voxsphere.losses.tuples import checked_tuples


class Ge2e(nn.Module):
    """GE2E. Wan, Wang, Papir and Lopez Moreno 2018, arXiv:1710.10467, eqs. 5–9.

    S_ji,k = w·cos(e_ji, c_k) + b, where c_k is the mean of speaker k's utterances, without e_ji itself where k = j.
    softmax (eq. 6):  L(e_ji) = −S_ji,j + log Σ_k exp S_ji,k
    contrast (eq. 7): L(e_ji) = 1 − σ(S_ji,j) + max_{k≠j} σ(S_ji,k)

    The mean over utterances, where the paper's objective is the sum. The centroid is that of unit vectors when
    `normalised` (as in the paper), of the raw embeddings otherwise (as in voxceleb_trainer). Cosines below 0 stay what
    they are; voxceleb_trainer's floor of 1e-6 lets no gradient through there. w and b learn, and begin at the options'
    values; w stays above 0. b moves nothing in the softmax.
    """

    def __init__(
        self,
        *,
        method: Literal["softmax", "contrast"] = "softmax",
        w: float = 10.0,
        b: float = -5.0,
        normalised: bool = True,
    ) -> None:
        super().__init__()
        if method not in ("softmax", "contrast"):
            raise BadInput(f"method: {method!r} is not one of softmax, contrast")
        self.method, self.normalised = method, normalised
        self.scale = ScaledCosine(w, b)

    def forward(self, tuples: Float[Tensor, "speakers utterances dim"]) -> Float[Tensor, ""]:
        """The mean over the batch's utterances, in nats for the softmax, 0 … 2 for the contrast."""
        with precisely(tuples):
            logits = self.scale(self._cosines(checked_tuples(tuples)))
            if self.method == "softmax":
                return functional.cross_entropy(logits.flatten(0, 1), _own(logits).flatten())
            own = logits.gather(2, _own(logits)[..., None])[..., 0]
            nearest = logits.scatter(2, _own(logits)[..., None], -torch.inf).amax(2)
            each: Tensor = 1 - own.sigmoid() + nearest.sigmoid()
            return each.mean()

    def _cosines(self, tuples: Tensor) -> Tensor:
        """Of each utterance with each speaker's centroid: [speakers, utterances, speakers]."""
        unit = functional.normalize(tuples, dim=2)
        members = unit if self.normalised else tuples
        # A cosine does not ask how long a centroid is, so sums do for means.
        total = members.sum(1, keepdim=True)
        cosine = unit @ functional.normalize(total[:, 0], dim=1).T
        own = (unit * functional.normalize(total - members, dim=2)).sum(2, keepdim=True)
        return cosine.scatter(2, _own(cosine)[..., None], own)


def _own(logits: Tensor) -> Tensor:
    """Which column is each utterance's own speaker's: [speakers, utterances]."""
    return torch.arange(len(logits), device=logits.device)[:, None].expand(logits.shape[:2])
