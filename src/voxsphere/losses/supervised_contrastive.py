"""Supervised contrastive loss: each of a speaker's utterances must find all the others of that speaker."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.losses.head import check_positive, precisely
from voxsphere.losses.tuples import checked_tuples, rows


class SupervisedContrastive(nn.Module):
    """SupCon. Khosla et al. 2020, Supervised Contrastive Learning, arXiv:2004.11362, eq. 2 (L_out).

    L = mean_i −1/|P_i| Σ_{p∈P_i} log(exp(z_i·z_p/τ) / Σ_{a≠i} exp(z_i·z_a/τ)) over all utterances i, z the embeddings
    at unit length, P_i the other utterances of i's speaker. `temperature` is τ: the paper's best is 0.1, its authors'
    code begins at 0.07.
    """

    def __init__(self, *, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = check_positive("temperature", temperature)

    def forward(self, tuples: Float[Tensor, "speakers utterances dim"]) -> Float[Tensor, ""]:
        """The mean over the batch's utterances, in nats."""
        with precisely(tuples):
            embedding, label = rows(checked_tuples(tuples))
            unit = functional.normalize(embedding)
            logits = unit @ unit.T / self.temperature
            itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
            surprise = logits.masked_fill(itself, -torch.inf).logsumexp(1, keepdim=True) - logits
            positive = (label[:, None] == label) & ~itself
            return surprise.masked_select(positive).mean()  # every utterance has as many positives
