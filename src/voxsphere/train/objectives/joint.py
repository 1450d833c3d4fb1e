"""Joint: classification and metric learning of the same embeddings, a weight each."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Batch
from voxsphere.losses.contract import Penalty, TupleLoss
from voxsphere.losses.head import Head, pass_margin
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.objectives.heads import accuracy, check_weights, make_penalties, penalties_of
from voxsphere.train.objectives.tuples import loss_of_equal, sees_lengths, signs, tuples_of


class Joint(nn.Module):
    """`head_weight` · the head's loss + `metric_weight` · a loss on tuples + the penalties, each by its own weight.

    Softmax-prototypical is `head=Softmax, metric=AngularPrototypical` (Chung et al. 2020, In defence of metric
    learning, arXiv:2003.11982; Kwon et al. 2021, arXiv:2010.15809, sum both with weight 1).

    The multitask system of triplet loss and softmax is `head=Softmax, metric=Mined` on triplets with margin 0.3, and
    its entropy term the penalty `KoLeo`; with a projection of unit length (`AffineLength`) both losses see the unit
    vectors that it had. `classified="first"` asks the head about the first utterance of each speaker only, as it does
    about the anchors where nothing is mined. It cuts all utterances of a batch to one random length: that is
    `examples=Crops` with two lengths (`--set examples.length=[2,8]`), since how much is heard is the examples' affair.

    Batches are P speakers × K utterances, as `Metric` takes them; every process and every accumulated piece is
    its own, and negatives come from it. Logged are "classification", "metric", each penalty by its name, accuracy (of
    all utterances, margin-free), and the signs of a collapse that `Metric` logs.
    """

    def __init__(
        self,
        model: SpeakerModel,
        num_speakers: int,
        *,
        head: Callable[..., Head],
        metric: Callable[[], TupleLoss],
        penalties: tuple[Callable[..., Penalty], ...] = (),
        head_weight: float = 1.0,
        metric_weight: float = 1.0,
        classified: Literal["all", "first"] = "all",
    ) -> None:
        super().__init__()
        check_weights({"head_weight": head_weight, "metric_weight": metric_weight})
        self.model = model
        self.head = head(in_dim=model.dim, num_classes=num_speakers)
        self.metric = metric()
        self.sees_lengths = sees_lengths(self.metric)
        self.penalties = make_penalties(penalties, model.dim, num_speakers)
        self.head_weight, self.metric_weight, self.classified = head_weight, metric_weight, classified
        self._last: Tensor | None = None

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted sum and its parts, unweighted."""
        embedding = self.model(batch.wave, masks=batch.masks)
        tuples = tuples_of(embedding, batch)
        asked = slice(None, None, 1 if self.classified == "all" else tuples.shape[1])
        classification = self.head(embedding[asked], batch.speaker[asked])
        metric = self.metric(tuples)
        self._last = tuples.detach()
        added = penalties_of(self.penalties, self.head, embedding, batch.speaker)
        return {
            "loss": self.head_weight * classification + self.metric_weight * metric + sum(added.values()),
            "classification": classification,
            "metric": metric,
            **added,
            "accuracy": accuracy(self.head, embedding, batch.speaker),
            **signs(self.metric, tuples),
        }

    def loss_of_equal(self) -> float:
        """What the metric loss would be in the last batch, were all embeddings equal."""
        if self._last is None:
            raise BadInput("the loss of equal embeddings is that of a batch; call the objective first")
        return loss_of_equal(self.metric, self._last)

    def set_margin(self, value: float) -> None:
        """Set the head's margin, where it has one; that of the metric loss stays."""
        pass_margin(self.head, value)
