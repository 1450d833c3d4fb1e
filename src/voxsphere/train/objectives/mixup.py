"""Mixup: learn from sums of two utterances that they are partly the one's and partly the other's speaker."""

import math
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.distributions import Beta

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Batch
from voxsphere.losses.head import Head, pass_margin
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.objectives.heads import accuracy


class Mixup(nn.Module):
    """λ·x + (1 − λ)·x' of each utterance x and a drawn other x' of the batch; the loss is the same sum of the losses.

    Zhang et al. 2018, mixup, arXiv:1710.09412, eq. 2 and figure 1: λ ~ Beta(`alpha`, `alpha`), one a batch, and the
    other utterances by a permutation. Both are drawn anew in every step from torch's generator, which the loop seeds.
    x is the wave, or at `level="features"` the front end's frames (Zhu et al. 2019 mix those of x-vectors).

    The paper mixes the labels; for a softmax that is the same as λ·L(f, y) + (1 − λ)·L(f, y') of its authors' code,
    which is computed here: the head is asked twice for whole classes, so that each bears its own margin. Accuracy is
    the same sum of both accuracies.
    """

    def __init__(
        self,
        model: SpeakerModel,
        num_speakers: int,
        *,
        head: Callable[..., Head],
        alpha: float = 0.2,
        level: Literal["wave", "features"] = "wave",
    ) -> None:
        super().__init__()
        if not 0 < alpha < math.inf:
            raise BadInput(f"objective.alpha: {alpha:g} is not a number above 0; 1 mixes evenly, near 0 hardly ever")
        self.model = model
        self.head = head(in_dim=model.dim, num_classes=num_speakers)
        self.alpha, self.level = alpha, level

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The mixed loss and accuracy."""
        share, other = self._drawn(batch.speaker)
        embedding = self._embedded(batch, share, other)
        one, two = batch.speaker, batch.speaker[other]
        loss = share * self.head(embedding, one) + (1 - share) * self.head(embedding, two)
        right = share * accuracy(self.head, embedding, one) + (1 - share) * accuracy(self.head, embedding, two)
        return {"loss": loss, "accuracy": right}

    def set_margin(self, value: float) -> None:
        """Set the head's margin, where it has one."""
        pass_margin(self.head, value)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _drawn(self, speaker: Tensor) -> tuple[Float[Tensor, ""], Int64[Tensor, " batch"]]:
        """λ and the permutation, drawn on the CPU so that every device mixes alike."""
        share, other = Beta(self.alpha, self.alpha).sample(), torch.randperm(len(speaker))
        return share.to(speaker.device), other.to(speaker.device)

    def _embedded(self, batch: Batch, share: Tensor, other: Tensor) -> Float[Tensor, "batch dim"]:
        def mixed(x: Tensor) -> Tensor:
            return share.to(x.dtype) * x + (1 - share).to(x.dtype) * x[other]

        model = self.model
        if self.level == "wave":
            embedding: Tensor = model(mixed(batch.wave), masks=batch.masks)
        else:
            features = mixed(model.features_of(batch.wave))
            embedding = model.embed_features(features if batch.masks is None else features * batch.masks)
        return embedding
