"""Scores of trials: the cosine of stored embeddings, or the LLR that a calibration makes of it."""

import numpy as np

from voxsphere.backend.calibrate import Calibration
from voxsphere.backend.cosine import cosine
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials


def score(trials: Trials, embeddings: Embeddings) -> Scores:
    """The cosine of each trial's two embeddings; `BadInput` names an utterance that has none, or a useless one."""
    rows = np.asarray(embeddings.rows(trials.ids))
    values = cosine(embeddings.vectors, rows[trials.enrol], rows[trials.test], names=embeddings.ids)
    return Scores(trials, values, scale="cosine", model=embeddings.model)


def calibrated(scores: Scores, embeddings: Embeddings, calibration: Calibration) -> Scores:
    """Cosine scores turned into LLRs (nats); the embeddings say how many seconds of speech each side has."""
    if scores.scale != "cosine":
        raise BadInput(f"a calibration takes cosine scores; these are of scale {scores.scale!r}")
    if embeddings.seconds is None:
        raise BadInput("these embeddings do not say their seconds of speech; extract them again to calibrate scores")
    seconds = embeddings.seconds[np.asarray(embeddings.rows(scores.trials.ids))]
    llr = calibration.apply(scores.values, seconds[scores.trials.enrol], seconds[scores.trials.test])
    return Scores(scores.trials, llr, scale="llr", model=scores.model)
