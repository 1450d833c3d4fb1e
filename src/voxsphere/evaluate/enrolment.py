"""Scores of speakers against recordings: a speaker is the mean of the embeddings that he enrolled with."""

from collections.abc import Mapping, Sequence

import numpy as np

from voxsphere.backend.cosine import cosine
from voxsphere.core.embeddings import Embeddings
from voxsphere.core.errors import BadInput
from voxsphere.core.scores import Scores
from voxsphere.core.trials import Trials

Enrolment = Mapping[str, Sequence[str]]
"""The recordings that each speaker enrols with."""


def speaker_means(embeddings: Embeddings, enrolment: Enrolment, speakers: Sequence[str]) -> Embeddings:
    """The mean of the raw embeddings of each of these speakers' recordings, longer ones weighing as they come.

    As multitask_asv does it; a mean of unit vectors would give each recording the same say. The seconds of speech are
    those of all the recordings. `BadInput` names a speaker who is not enrolled, and a recording without embedding.
    """
    if unknown := next((speaker for speaker in speakers if not enrolment.get(speaker)), None):
        raise BadInput(f"{unknown}: is tried and has not enrolled; the enrolment names {len(enrolment)} speakers")
    try:
        rows = embeddings.rows([name for speaker in speakers for name in enrolment[speaker]])
    except BadInput as error:
        raise BadInput(f"enrolment: {error}") from error
    ends = np.cumsum([len(enrolment[speaker]) for speaker in speakers])
    of_each = np.split(rows, ends[:-1])
    vectors = np.array([embeddings.vectors[some].mean(0, dtype=np.float64) for some in of_each], dtype=np.float32)
    seconds = embeddings.seconds
    told = None if seconds is None else np.array([seconds[some].sum() for some in of_each], dtype=np.float32)
    return Embeddings(tuple(speakers), vectors, embeddings.model, told)


def score_speakers(trials: Trials, embeddings: Embeddings, enrolment: Enrolment) -> Scores:
    """The cosine of each trial's speaker and recording: its first side is a speaker, its second a recording.

    `BadInput` for what has no embedding, for a speaker who has not enrolled, and for a recording that is tried against
    the speaker who enrolled with it.
    """
    enrols, tests = ([trials.ids[i] for i in side] for side in (trials.enrol, trials.test))
    means = speaker_means(embeddings, enrolment, tuple(dict.fromkeys(enrols)))
    own = {(speaker, recording) for speaker in means.ids for recording in enrolment[speaker]}
    if heard := next((pair for pair in zip(enrols, tests, strict=True) if pair in own), None):
        raise BadInput(f"{heard[1]}: is tried against {heard[0]}, who enrolled with it; leave the trial out")
    # A speaker may be called as a recording is: rows are told apart by side, not by name.
    vectors = np.concatenate([means.vectors, embeddings.vectors])
    names = (*means.ids, *embeddings.ids)
    values = cosine(vectors, means.rows(enrols), len(means) + embeddings.rows(tests), names=names)
    return Scores(trials, values, scale="cosine", model=embeddings.model)
