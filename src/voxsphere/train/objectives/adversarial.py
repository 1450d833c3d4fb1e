"""Domain-adversarial training: tell speakers apart by what does not tell where, or with what, they were recorded."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Batch
from voxsphere.losses.head import Head, pass_margin
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.objectives.heads import accuracy
from voxsphere.train.schedule import Progress, Schedule


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """How strongly the gradient is turned round: λ = final·(2 / (1 + exp(−gamma·p)) − 1) at the share p of the run.

    Ganin & Lempitsky 2015, arXiv:1409.7495, section 4.1, with gamma = 10 and final = 1: none at first, when the domains
    are not told apart yet either.
    """

    final: float = 1.0
    gamma: float = 10.0

    def __call__(self, progress: Progress) -> float:
        share = progress.step / max(1, progress.steps)
        return self.final * (2 / (1 + math.exp(-self.gamma * share)) - 1)


class DomainAdversarial(nn.Module):
    """A head learns the speakers, a second network the domain; the embedding learns to help one and fail the other.

    Ganin & Lempitsky 2015, Unsupervised domain adaptation by backpropagation, arXiv:1409.7495, eqs. 4 and 9-15: the
    domain classifier steps down its cross-entropy ("domain"), whose gradient reaches the embedding times −λ. λ is a
    schedule (`reversal`), set before each step and kept as a buffer. The domains are a column of the manifest, named by
    `--set data.domain=session` (or dataset, language, gender, any other). The domain classifier is linear on one hidden
    layer of `hidden` rectified units; 0 leaves it out.

    "domain_accuracy" near the share of the largest domain says that the embedding tells nothing of it any more.
    """

    strength: Tensor

    def __init__(
        self,
        model: SpeakerModel,
        num_speakers: int,
        num_domains: int,
        *,
        head: Callable[..., Head],
        reversal: Callable[[], Schedule] = Reversal,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        if num_domains < 2 or hidden < 0:
            raise BadInput(f"objective: {num_domains} domains by {hidden} hidden units; take 2 or more, and 0 or more")
        self.model = model
        self.head = head(in_dim=model.dim, num_classes=num_speakers)
        layers: list[nn.Module] = [nn.Linear(model.dim, hidden), nn.ReLU()] if hidden else []
        self.domain = nn.Sequential(*layers, nn.Linear(hidden or model.dim, num_domains))
        self.schedule = reversal()
        self.register_buffer("strength", torch.tensor(0.0))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The sum of the speakers' and the domains' losses, both, and both accuracies."""
        if batch.domain is None:
            raise BadInput("the batch does not tell the domain of each utterance; --set data.domain=COLUMN names it")
        embedding = self.model(batch.wave, masks=batch.masks)
        classification = self.head(embedding, batch.speaker)
        logits = self.domain(reversed_gradient(embedding, self.strength)).float()
        domain = functional.cross_entropy(logits, batch.domain)
        return {
            "loss": classification + domain,
            "classification": classification,
            "domain": domain,
            "accuracy": accuracy(self.head, embedding, batch.speaker),
            "domain_accuracy": (logits.detach().argmax(1) == batch.domain).float().mean(),
        }

    def set_margin(self, value: float) -> None:
        """Set the head's margin, where it has one."""
        pass_margin(self.head, value)

    def set_progress(self, progress: Progress) -> None:
        """Set λ for the step that comes."""
        self.strength.fill_(self.schedule(progress))


def reversed_gradient(x: Float[Tensor, "*shape"], strength: Tensor) -> Float[Tensor, "*shape"]:
    """`x` to the bit, whose gradient is passed on times −`strength`."""
    still = x.detach()
    return still + strength.to(x.dtype) * (still - x)
