"""Which of the known speakers said each utterance: decisions, and how often they are right, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic
from voxsphere.evaluate.results import Figure
from voxsphere.metrics import identification
from voxsphere.metrics.confidence import LEAST_SPEAKERS, no_error_bound

REPLICATES = 1000
PLAIN = (".txt", ".log")
"""Endings of lists `file<TAB>speaker` without a header, as the course of speech processing at UPC hands them in."""


@dataclass(frozen=True)
class Decisions:
    """The log-posteriors [utterances, speakers] of each utterance, summed over its parts, and whose they are.

    Speakers being equally likely beforehand and the parts independent, a sum is the utterance's own log-posterior but
    for a constant, which `metrics.identification.log_loss` takes away.
    """

    ids: tuple[str, ...]
    speakers: tuple[str, ...]
    log_posteriors: Float64[np.ndarray, "utterances speakers"]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def said(self) -> tuple[str, ...]:
        """The likeliest speaker of each utterance."""
        return tuple(self.speakers[i] for i in identification.decisions(self.log_posteriors))

    @cached_property
    def lead(self) -> Float64[np.ndarray, " utterances"]:
        """How much likelier than the next one the likeliest speaker is, in nats; infinite where there is no other."""
        if len(self.speakers) < 2:
            return np.full(len(self), np.inf)
        second, first = np.partition(self.log_posteriors, -2, axis=1)[:, -2:].T
        return np.asarray(first - second)

    def save(self, path: str | Path, *, speaker_of: Mapping[str, str] | None = None) -> None:
        """Write `id<TAB>speaker` lines to a .txt or .log, or to a .tsv a table that also tells the lead and the truth.

        `speaker_of` gives the true speakers, where they are known. Atomic.
        """
        path = Path(path)
        rows = zip(self.ids, self.said, self.lead, strict=True)
        with atomic(path) as file:
            if path.suffix in PLAIN:
                file.writelines(f"{name}\t{speaker}\n" for name, speaker, _ in rows)
                return
            file.write("id\tspeaker\tlead\ttrue\n")
            true = speaker_of or {}
            file.writelines(f"{name}\t{said}\t{lead:.4f}\t{true.get(name, '')}\n" for name, said, lead in rows)


@dataclass(frozen=True)
class Identified:
    """What `identify` measured: rates of right decisions, over utterances, with 95 % intervals over speakers.

    `known` is how many speakers there were to choose from, `speakers` how many of them speak; `log_loss` the mean of
    −log p(true speaker), in nats; `parts` in words what an utterance's decision sums over; `confused` the most frequent
    errors as (true, said, utterances). Nothing counts the `unlabelled` utterances, whose speaker is not told.
    """

    utterances: int
    unlabelled: int
    speakers: int
    known: int
    top1: Figure
    top5: Figure
    log_loss: float
    parts: str
    confused: tuple[tuple[str, str, int], ...]

    @property
    def error(self) -> float:
        """The share of utterances that are taken for another speaker's."""
        return 1 - self.top1.value

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order to show them."""
        return self.top1, self.top5

    @property
    def note(self) -> str:
        """How the figures and their intervals were made, in words."""
        left = f" ({self.unlabelled:,} more have no speaker's label and are left out)" if self.unlabelled else ""
        few = f"; fewer than {LEAST_SPEAKERS} speakers say little of others" if self.speakers < LEAST_SPEAKERS else ""
        return (
            f"{self.utterances:,} utterances of {self.speakers:,} speakers{left}, {self.known:,} to choose from; "
            f"decided by {self.parts}; 95 % intervals: percentiles of {REPLICATES} bootstrap replicates over "
            f"speakers{few}"
        )

    def to_json(self) -> dict[str, Any]:
        """The results as JSON values: rates are fractions, an interval is [low, high] or null."""
        return {
            "top1": self.top1.value,
            "top1_interval": list(self.top1.interval) if self.top1.interval else None,
            "top5": self.top5.value,
            "top5_interval": list(self.top5.interval) if self.top5.interval else None,
            "error": self.error,
            "log_loss": self.log_loss,
            "counts": {
                "utterances": self.utterances,
                "speakers": self.speakers,
                "known": self.known,
                "unlabelled": self.unlabelled,
            },
            "confused": [{"true": true, "said": said, "utterances": count} for true, said, count in self.confused],
            "note": self.note,
        }


def identify(decisions: Decisions, speaker_of: Mapping[str, str], *, parts: str, worst: int = 10) -> Identified:
    """How often the decisions are right; `speaker_of` gives each utterance's speaker, where that is known.

    `BadInput` where nothing can be measured, or an utterance is of nobody who was to choose from.
    """
    rows, true = _labelled(decisions, speaker_of)
    scores = decisions.log_posteriors[rows]
    return Identified(
        utterances=len(rows),
        unlabelled=len(decisions) - len(rows),
        speakers=len(np.unique(true)),
        known=len(decisions.speakers),
        top1=_rate("top-1", scores, true, 1),
        top5=_rate("top-5", scores, true, 5),
        log_loss=identification.log_loss(scores, true),
        parts=parts,
        confused=_confused(decisions.speakers, identification.decisions(scores), true, worst),
    )


def save_confusion(decisions: Decisions, speaker_of: Mapping[str, str], path: str | Path) -> None:
    """Write how many utterances of each speaker (a row) were said to be each one's (a column), as a .tsv. Atomic.

    The first row names the speakers who were to choose from, the first column those who speak; errors as `identify`'s.
    """
    rows, true = _labelled(decisions, speaker_of)
    said = identification.decisions(decisions.log_posteriors[rows])
    counts = identification.confusion(said, true, len(decisions.speakers))
    with atomic(path) as file:
        file.write("\t".join(("true", *decisions.speakers)) + "\n")
        for speaker in np.unique(true):
            file.write("\t".join((decisions.speakers[speaker], *map(str, counts[speaker]))) + "\n")


def _labelled(decisions: Decisions, speaker_of: Mapping[str, str]) -> tuple[list[int], Int64[np.ndarray, " labelled"]]:
    """The rows of the utterances whose speaker is told, and the numbers of those speakers."""
    rows = [row for row, name in enumerate(decisions.ids) if speaker_of.get(name)]
    if not rows:
        raise BadInput("no utterance of a known speaker was decided on; there is nothing to measure")
    number = {speaker: i for i, speaker in enumerate(decisions.speakers)}
    spoke = [speaker_of[decisions.ids[row]] for row in rows]
    if strangers := sorted(set(spoke) - number.keys()):
        raise BadInput(
            f"{len(strangers)} of the speakers, such as {strangers[0]}, are none of the {len(number)} that were "
            "learnt; identification is among known speakers: leave them out of the manifest"
        )
    return rows, np.array([number[speaker] for speaker in spoke])


def _rate(name: str, scores: Float64[np.ndarray, "utterances speakers"], true: np.ndarray, k: int) -> Figure:
    right = identification.top_k(scores, true, k)
    ends = identification.share_interval(right, true, replicates=REPLICATES)
    if ends is not None and right.all():
        ends = (1 - no_error_bound(len(np.unique(true))), 1.0)
    return Figure(name, float(right.mean()), "rate", ends)


def _confused(
    speakers: Sequence[str], said: np.ndarray, true: np.ndarray, worst: int
) -> tuple[tuple[str, str, int], ...]:
    wrong = said != true
    pairs, counts = np.unique(np.stack([true[wrong], said[wrong]]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], pairs[0], -counts))[:worst]
    return tuple((speakers[pairs[0, i]], speakers[pairs[1, i]], int(counts[i])) for i in order)
