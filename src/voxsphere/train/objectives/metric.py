"""Metric learning: a loss that compares the utterances of a batch, and no classes."""

from collections.abc import Callable

from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Batch
from voxsphere.losses.contract import Penalty, TupleLoss
from voxsphere.losses.head import pass_margin
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.objectives.heads import make_penalties, penalties_of
from voxsphere.train.objectives.tuples import loss_of_equal, sees_lengths, signs, tuples_of


class Metric(nn.Module):
    """Bring the utterances of a speaker together and part those of different speakers: a loss on tuples alone.

    Each of the `penalties` (`KoLeo`, say) adds what it says, by its own weight, and is logged by its name; "metric" is
    then the loss on tuples alone. There are no class weights for one to read.

    Batches are P speakers × K utterances side by side (`sampler=SpeakersByUtterances`), in each piece of a batch;
    others are refused. Every process and every accumulated piece is its own batch: negatives come from the piece, so
    more processes or pieces of one `batch_size` learn otherwise than fewer. Logged beside the loss are the embeddings'
    "spread" (1 − their mean cosine) and, where triplets are mined, the share of "active" ones. As the second stage of
    Li et al. 2017, Deep Speaker, arXiv:1705.02304, a triplet loss begins from a network that was trained to classify.
    """

    def __init__(
        self,
        model: SpeakerModel,
        num_speakers: int,
        *,
        metric: Callable[[], TupleLoss],
        penalties: tuple[Callable[..., Penalty], ...] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.metric = metric()
        self.sees_lengths = sees_lengths(self.metric)
        self.penalties = make_penalties(penalties, model.dim, num_speakers)
        self._last: Tensor | None = None

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The loss, what it is the sum of where there are penalties, and the signs of a collapse."""
        embedding = self.model(batch.wave, masks=batch.masks)
        tuples = tuples_of(embedding, batch)
        loss = self.metric(tuples)
        self._last = tuples.detach()
        added = penalties_of(self.penalties, None, embedding, batch.speaker)
        parts = {"metric": loss, **added} if added else {}
        return {"loss": loss + sum(added.values()), **parts, **signs(self.metric, tuples)}

    def loss_of_equal(self) -> float:
        """What the loss would be in the last batch, were all embeddings equal."""
        if self._last is None:
            raise BadInput("the loss of equal embeddings is that of a batch; call the objective first")
        return loss_of_equal(self.metric, self._last)

    def set_margin(self, value: float) -> None:
        """Set the loss's margin, where a schedule may set it."""
        pass_margin(self.metric, value)
