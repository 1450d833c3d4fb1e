"""Classification: tell the training speakers apart."""

from collections.abc import Callable

from torch import Tensor, nn

from voxsphere.data.batch import Batch
from voxsphere.losses.contract import Penalty
from voxsphere.losses.head import Head, pass_margin
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.objectives.heads import accuracy, make_penalties, penalties_of


class Classification(nn.Module):
    """Tell the training speakers apart: the embedding goes through a head with one class a speaker.

    Each of the `penalties` adds what it says, by its own weight, and is logged by its name; "classification" is then
    the head's loss alone. Accuracy is that of the margin-free logits.
    """

    def __init__(
        self,
        model: SpeakerModel,
        num_speakers: int,
        *,
        head: Callable[..., Head],
        penalties: tuple[Callable[..., Penalty], ...] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.head = head(in_dim=model.dim, num_classes=num_speakers)
        self.penalties = make_penalties(penalties, model.dim, num_speakers)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The head's loss and the penalties, and the share of the batch that the head tells right."""
        embedding = self.model(batch.wave, masks=batch.masks)
        loss = self.head(embedding, batch.speaker)
        added = penalties_of(self.penalties, self.head, embedding, batch.speaker)
        parts = {"classification": loss, **added} if added else {}
        right = accuracy(self.head, embedding, batch.speaker)
        return {"loss": loss + sum(added.values()), **parts, "accuracy": right}

    def set_margin(self, value: float) -> None:
        """Set the head's margin, where it has one."""
        pass_margin(self.head, value)
