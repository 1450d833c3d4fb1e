"""What a network and its head say of an utterance: the log-probability of each speaker that they learnt."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.data.source import Held
from voxsphere.losses.head import Head
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import AsPooled
from voxsphere.models.speaker import SpeakerModel, evaluating

By = Literal["auto", "frames", "posteriors", "embedding", "pooled"]
WAYS: tuple[By, ...] = ("auto", "frames", "posteriors", "embedding", "pooled")


def way_of(model: SpeakerModel, by: By) -> By:
    """How this model is asked: "auto" is by frames where the network judges each frame by itself, else by embedding.

    `BadInput` for frames of a network that needs several of them for its judgement.
    """
    of_frames = isinstance(model.pooling, MeanPooling)
    if by == "auto":
        return "frames" if of_frames and isinstance(model.projection, AsPooled) else "embedding"
    if by not in WAYS:
        raise BadInput(f"by {by}: is none of {', '.join(WAYS)}")
    if by == "frames" and not of_frames:
        raise BadInput(
            f"by frames: this network pools its frames by {type(model.pooling).__name__}, and none can be judged by "
            "itself; take embedding, or posteriors"
        )
    return by


def log_posteriors(
    model: SpeakerModel, head: Head, pieces: Sequence[Held], *, by: By = "auto"
) -> Float[Tensor, "parts classes"]:
    """The log-probabilities of the speakers in each part of an utterance; the utterance's are their sum over the parts.

    `pieces` are the utterance, or cuts of it, each one input of the model. The parts are the encoder's frames of all
    pieces ("frames"), the pieces themselves ("posteriors"), or one: the mean of the pieces' embeddings ("embedding"),
    or of what they are projected from ("pooled"). Model and head are asked in evaluation mode, without gradients.
    """
    way = way_of(model, by)
    asked = head if isinstance(head, nn.Module) else nn.Module()
    with torch.inference_mode(), evaluating(model), evaluating(asked):
        return head.logits(_asked(model, pieces, way)).double().log_softmax(1).cpu()


def _asked(model: SpeakerModel, pieces: Sequence[Held], way: By) -> Float[Tensor, "parts dim"]:
    """What the head is asked about."""
    device = next((tensor.device for tensor in [*model.parameters(), *model.buffers()]), torch.device("cpu"))
    waves = [model.lengthened(torch.as_tensor(piece, dtype=torch.float32)).to(device)[None] for piece in pieces]
    if way == "frames":
        return model.projection(torch.cat([model.frames(wave)[0].T for wave in waves]))
    if way == "pooled":
        return model.projection(torch.cat([model.pooled(wave) for wave in waves]).mean(0, keepdim=True))
    embedding = torch.cat([model(wave) for wave in waves])
    return embedding if way == "posteriors" else embedding.mean(0, keepdim=True)
