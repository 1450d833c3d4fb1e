"""How objectives ask a loss on tuples: speakers by utterances out of a batch, and what shows that nothing is learnt."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Batch
from voxsphere.losses.contract import TupleLoss
from voxsphere.losses.distances import Measure
from voxsphere.losses.n_pair import NPair
from voxsphere.losses.prototypical import Prototypical


def tuples_of(embedding: Float[Tensor, "batch dim"], batch: Batch) -> Float[Tensor, "speakers utterances dim"]:
    """The embeddings by speaker; `BadInput` unless two speakers or more have equally many, two or more."""
    each = batch.utterances
    if each is None or each < 2 or each == len(batch):
        raise BadInput(
            "metric losses need batches of speakers by utterances, two or more each, in every piece of a batch; --set "
            "sampler=SpeakersByUtterances (batch_size / processes / accumulate is to be a multiple of its utterances)"
        )
    return embedding.reshape(-1, each, embedding.shape[1])


@torch.no_grad()
def spread(embedding: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
    """1 − the mean cosine over all pairs of the batch: 0 where all embeddings point one way, 1 where all ways.

    Computed as N/(N − 1) times the mean squared distance of the unit vectors from their mean, which is the same and
    keeps its digits near 0.
    """
    unit = functional.normalize(embedding.float())
    count = len(unit)
    return (unit - unit.mean(0)).square().sum(1).mean() * (count / max(count - 1, 1))


def signs(metric: TupleLoss, tuples: Float[Tensor, "speakers utterances dim"]) -> dict[str, Tensor]:
    """The figures by which a collapse is known: the spread, and where triplets are mined their number and the share of
    active ones.

    Asked right after the loss, whose mining left both behind; the next one writes over them.
    """
    mined = {name: getattr(metric, name, None) for name in ("triplets", "active")}
    left = {name: value.to(torch.float32, copy=True) for name, value in mined.items() if isinstance(value, Tensor)}
    return {"spread": spread(tuples.flatten(0, 1)), **left}


def sees_lengths(metric: TupleLoss) -> bool:
    """Whether the loss sees how long embeddings are, and not their directions alone."""
    measure = getattr(getattr(metric, "loss", None), "measure", None)
    if isinstance(measure, Measure):
        return not measure.normalised and measure.distance != "cosine"
    return isinstance(metric, NPair | Prototypical)


def loss_of_equal(metric: TupleLoss, tuples: Float[Tensor, "speakers utterances dim"]) -> float:
    """What the loss says where all embeddings are their mean: a triplet loss its margin, a softmax log(speakers).

    Their own mean, because some losses see its length: an N-pair loss its shrinkage.
    Leaves no trace in randomness, which a miner may draw.
    """
    devices = [tuples.device] if tuples.device.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(devices=devices):
        mean = tuples.float().mean((0, 1))
        return float(metric(mean.repeat(*tuples.shape[:2], 1)))
