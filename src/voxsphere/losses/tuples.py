"""What losses on tuples share: what they refuse, their precision, a tuple batch as rows."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.losses.precision import in_full


def checked_tuples(
    tuples: Float[Tensor, "speakers utterances dim"], *, speakers: int = 2, utterances: int = 2
) -> Float[Tensor, "speakers utterances dim"]:
    """The batch in full precision; `BadInput` where it has fewer speakers, or utterances of each, than a loss needs."""
    if tuples.ndim != 3:
        raise BadInput(
            f"embeddings of shape {tuple(tuples.shape)}; a loss on tuples takes [speakers, utterances, dim], "
            "as sampler=SpeakersByUtterances deals them"
        )
    found = tuples.shape[:2]
    if found[0] < speakers or found[1] < utterances:
        raise BadInput(
            f"a batch of {found[0]} × {found[1]} (speakers × utterances); this loss needs {speakers} × {utterances} "
            "or more: raise the sampler's speakers or utterances"
        )
    return in_full(tuples)


def rows(
    tuples: Float[Tensor, "speakers utterances dim"],
) -> tuple[Float[Tensor, "batch dim"], Int64[Tensor, " batch"]]:
    """One row an utterance, a speaker's side by side, and whose each is: 0, 0, …, 1, 1, …"""
    label = torch.arange(tuples.shape[0], device=tuples.device).repeat_interleave(tuples.shape[1])
    return tuples.flatten(0, 1), label
