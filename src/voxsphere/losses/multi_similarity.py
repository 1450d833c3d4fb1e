"""Multi-similarity loss: each pair weighs by its own cosine, and by those of the pairs around it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.head import check_positive, precisely
from voxsphere.losses.tuples import checked_tuples, rows


class MultiSimilarity(nn.Module):
    """Multi-similarity. Wang, Han, Huang, Dong and Scott 2019, arXiv:1904.06627, eq. 15.

    L = mean_i [1/α · log(1 + Σ_{k∈P_i} exp(−α(S_ik − λ))) + 1/β · log(1 + Σ_{k∈N_i} exp(β(S_ik − λ)))] over all
    utterances i as anchors, S the cosine, P_i the other utterances of the same speaker, N_i those of other speakers.

    `mining` is the ε of the paper's pair mining: of N_i only what is nearer than the farthest positive less ε, of P_i
    only what is farther than the nearest negative plus ε. None takes every pair. λ is the paper's; its authors' code
    has 0.5.
    """

    def __init__(
        self, *, alpha: float = 2.0, beta: float = 50.0, threshold: float = 1.0, mining: float | None = 0.1
    ) -> None:
        super().__init__()
        self.alpha, self.beta = check_positive("alpha", alpha), check_positive("beta", beta)
        if not -1 <= threshold <= 1:
            raise BadInput(f"threshold: {threshold:g} is no cosine, -1 to 1")
        if mining is not None and not 0 <= mining <= 2:
            raise BadInput(f"mining: {mining:g} is no difference of cosines, 0 to 2; null takes every pair")
        self.threshold, self.mining = threshold, mining

    def forward(self, tuples: Float[Tensor, "speakers utterances dim"]) -> Float[Tensor, ""]:
        """The mean over the batch's utterances."""
        with precisely(tuples):
            embedding, label = rows(checked_tuples(tuples))
            unit = functional.normalize(embedding)
            cosine = unit @ unit.T
            other = label[:, None] != label
            positive = (~other).fill_diagonal_(False)
            if self.mining is not None:
                positive, other = _mined(cosine.detach(), positive, other, self.mining)
            pull = _log_1_and_sum(-self.alpha * (cosine - self.threshold), positive) / self.alpha
            push = _log_1_and_sum(self.beta * (cosine - self.threshold), other) / self.beta
            return (pull + push).mean()


def _mined(cosine: Tensor, positive: Tensor, other: Tensor, slack: float) -> tuple[Tensor, Tensor]:
    farthest = cosine.masked_fill(~positive, torch.inf).amin(1, keepdim=True)
    nearest = cosine.masked_fill(~other, -torch.inf).amax(1, keepdim=True)
    return positive & (cosine - slack < nearest), other & (cosine + slack > farthest)


def _log_1_and_sum(value: Float[Tensor, "n n"], mask: Bool[Tensor, "n n"]) -> Float[Tensor, " n"]:
    """log(1 + Σ exp) over what the mask keeps of each row, also where it keeps nothing."""
    return torch.cat([torch.zeros_like(value[:, :1]), value.masked_fill(~mask, -torch.inf)], 1).logsumexp(1)
