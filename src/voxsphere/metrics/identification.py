"""Closed-set identification: which of the known speakers said it, how often that is right, and who is taken for whom.

Scores are arrays [utterances, speakers], higher is likelier; they are finite, and so is nothing else that is counted.
"""

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Int64
from numpy.typing import ArrayLike
from scipy.special import log_softmax

from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream


def decisions(scores: Float[np.ndarray, "utterances speakers"]) -> Int64[np.ndarray, " utterances"]:
    """The likeliest speaker of each utterance; of equals the first."""
    return np.asarray(_checked(scores).argmax(1))


def top_k(
    scores: Float[np.ndarray, "utterances speakers"], speaker: Int[np.ndarray, " utterances"], k: int = 1
) -> Bool[np.ndarray, " utterances"]:
    """Whether fewer than `k` other speakers are as likely as the true one, or likelier.

    Who is as likely counts against it: scores that are all alike are never right. `BadInput` for a speaker who is none
    of the columns.
    """
    scores, speaker = _checked(scores), np.asarray(speaker)
    if k < 1:
        raise BadInput(f"top {k}: is none; give 1 or more")
    if speaker.shape != scores.shape[:1] or (
        len(speaker) and not 0 <= speaker.min() <= speaker.max() < scores.shape[1]
    ):
        raise BadInput(f"each of the {len(scores)} utterances needs a speaker from 0 to {scores.shape[1] - 1}")
    true = scores[np.arange(len(scores)), speaker]
    return np.asarray((scores >= true[:, None]).sum(1) - 1 < k)


def log_loss(scores: Float[np.ndarray, "utterances speakers"], speaker: Int[np.ndarray, " utterances"]) -> float:
    """The mean of −log p(true speaker), in nats.

    `scores` are log-probabilities but for a constant of each utterance, such as sums of log-posteriors over its parts:
    they are normalised over the speakers first, so that a longer utterance does not lose by its mere length.
    """
    posteriors = log_softmax(_checked(scores), axis=1)
    return float(-np.mean(posteriors[np.arange(len(speaker)), speaker]))


def confusion(
    said: Int[np.ndarray, " utterances"], speaker: Int[np.ndarray, " utterances"], speakers: int
) -> Int64[np.ndarray, "speakers speakers"]:
    """How many utterances of the row's speaker were said to be the column's."""
    counts = np.bincount(np.asarray(speaker) * speakers + np.asarray(said), minlength=speakers * speakers)
    return counts.reshape(speakers, speakers)


def share_interval(
    right: ArrayLike,
    speaker: Int[np.ndarray, " utterances"],
    *,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float] | None:
    """How far the mean of `right` would move had other speakers been asked: percentiles over resampled speakers.

    Each speaker brings all of his utterances (the bootstrap of clusters). None where there are fewer than two speakers.
    """
    values = np.asarray(right, dtype=np.float64)
    known, number = np.unique(np.asarray(speaker), return_inverse=True)
    if len(known) < 2:
        return None
    total, count = np.bincount(number, values), np.bincount(number).astype(np.float64)
    drawing = stream("bootstrap over identified speakers", seed)
    drawn = drawing.integers(0, len(known), (replicates, len(known)))
    shares = total[drawn].sum(1) / count[drawn].sum(1)
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _checked(scores: Float[np.ndarray, "utterances speakers"]) -> Float64[np.ndarray, "utterances speakers"]:
    held = np.asarray(scores, dtype=np.float64)
    if held.ndim != 2 or held.shape[1] < 1:
        raise BadInput(f"scores of speakers are an array [utterances, speakers], not one of {held.ndim} axes")
    if not np.isfinite(held).all():
        raise BadInput("a score of a speaker is no finite number")
    return held
