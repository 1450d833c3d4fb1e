"""What a batch is to teach: each objective turns it into named losses."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from voxsphere.data.batch import Batch
from voxsphere.losses.head import Head, pass_margin
from voxsphere.models.speaker import SpeakerModel


class Objective(Protocol):
    """`(model, num_speakers, *, options)`; a module that holds the model, its heads, and nothing of the loop.

    The loop calls it on a batch and steps down "loss"; every other entry, "accuracy" too, is only logged. `set_margin`
    passes on what the recipe's margin schedule says, to heads that have a use for it.
    """

    model: SpeakerModel

    def __call__(self, batch: Batch) -> dict[str, Tensor]: ...

    def set_margin(self, value: float) -> None: ...


class Classification(nn.Module):
    """Tell the training speakers apart: the embedding goes through a head with one class a speaker.

    Accuracy is that of the margin-free logits.
    """

    def __init__(self, model: SpeakerModel, num_speakers: int, *, head: Callable[..., Head]) -> None:
        super().__init__()
        self.model = model
        self.head = head(in_dim=model.dim, num_classes=num_speakers)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The head's loss, and the share of the batch that it tells right."""
        embedding = self.model(batch.wave, masks=batch.masks)
        loss = self.head(embedding, batch.speaker)
        with torch.no_grad():
            right = (self.head.logits(embedding).argmax(1) == batch.speaker).float().mean()
        return {"loss": loss, "accuracy": right}

    def set_margin(self, value: float) -> None:
        """Set the head's margin, where it has one."""
        pass_margin(self.head, value)
