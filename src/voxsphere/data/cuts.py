"""Random cuts of recordings, equally many of each speaker: a manifest of pieces, drawn once and cached as features."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.spans import Span, spans

RECORDING = "recording"
"""The column that tells which recording a cut is of, by its id."""

Side = tuple[str, str, str]  # data set, speaker, split


@dataclass(frozen=True)
class Cuts:
    """The cuts, what could not be measured and why, and what a person should know."""

    manifest: Manifest
    failures: tuple[tuple[str, str], ...]  # (utterance id, reason)
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How cuts are drawn; every part of it changes which they are.

    `per_speaker` cuts of each speaker on each side; "auto" as many as `automatic` says, for one fixed `length`; "whole"
    one of each recording, all of it. Each cut is of a recording drawn among the speaker's, by two drawn points that lie
    `least` seconds apart or more; or `length` seconds from a drawn place on, where a recording that is shorter is taken
    as it is (what learns from it repeats it). `percentile`: edges are trimmed first (None: are not); see `audio.edges`.

    `share` of each speaker's recordings, or so many (a whole number), are of split `dev`, the others "train"; one
    recording stays with train. Where the manifest tells splits, that is done to "train" alone.
    `rate` is the rate, in Hz, of the model that is to hear them: every cut begins and ends at one of its samples.
    """

    per_speaker: int | Literal["auto", "whole"] = 1000
    length: float | None = None
    least: float = 0.115
    percentile: float | None = 95.0
    share: float | int = 0.2
    dev: str = "dev"
    rate: int = 8000
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.per_speaker, int) and self.per_speaker < 1:
            raise BadInput(f"per_speaker: {self.per_speaker} cuts are none; give 1 or more, auto, or whole")
        if self.per_speaker == "auto" and self.length is None:
            raise BadInput("per_speaker=auto counts pieces of one length; give a length, such as 3.0 seconds")
        if self.per_speaker == "whole" and self.length is not None:
            raise BadInput(
                f"per_speaker=whole takes all of each recording, not {self.length:g} s; leave the length out"
            )
        if self.length is not None and not 0 < self.length < math.inf:
            raise BadInput(f"length: cuts cannot last {self.length:g} s; give more than 0, or leave it to be drawn")
        if self.rate < 1 or not 1 <= self.least * self.rate < math.inf:
            raise BadInput(f"least: {self.least:g} s hold no sample at {self.rate} Hz; give more")
        if self.percentile is not None and not 0 <= self.percentile < 100:
            raise BadInput(f"percentile: {self.percentile:g} lies not between 0 and 100")
        if not self.share >= 0 or (isinstance(self.share, float) and self.share >= 1):
            raise BadInput(f"share: {self.share:g} is neither a share, 0 to 1, nor a number of recordings")
        if not self.dev or self.dev == "train":
            raise BadInput(f"dev: the split that judges is not to be named {self.dev!r}")


def cuts(
    manifest: Manifest,
    plan: Plan,
    *,
    memory: Path,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Cuts:
    """The cuts of a manifest, a pure function of it and of the plan; `memory` keeps measured edges (see `spans`).

    Each cut's id is its recording's with `-cut` and a number, and the column `recording` keeps that id; start and
    duration are seconds of the file. Deep-speaker v2's cache takes 1000 cuts a side; with length 3.0 and "auto" these
    are the examples (egs) of SpeakerVerifiaction-pytorch, but that short recordings are not lengthened by others.
    """
    heard, failures = spans(
        manifest, rate=plan.rate, percentile=plan.percentile, memory=memory, workers=workers, progress=progress
    )
    shortest = 1 if plan.per_speaker == "whole" else round(plan.least * plan.rate)
    usable = [utterance for utterance in manifest if utterance.id in heard and heard[utterance.id].count >= shortest]
    if not usable:
        reason = next(iter(failures.values()), f"no recording holds {plan.least:g} s")
        raise BadInput(f"nothing can be cut: {reason}")
    divided = _divided(usable, plan)
    if plan.per_speaker == "whole":
        made = [_placed(u, heard[u.id], plan.rate, u.id) for u in divided]
    else:
        counts = _counts(divided, heard, plan)
        made = [cut for side in _sides(divided).items() for cut in _drawn(*side, heard, plan, counts)]
    return Cuts(Manifest(tuple(made)), tuple(failures.items()), _notes(manifest, usable, heard, plan))


def automatic(seconds: float, speakers: int, length: float) -> int:
    """2^⌈log₂(2 · seconds / length / speakers)⌉, 1 at least: how many pieces of each speaker make egs of a corpus.

    About twice what would cover it once; SpeakerVerifiaction-pytorch's rule, whose length is 300 frames of 10 ms.
    """
    return int(2 ** max(0, math.ceil(math.log2(2 * seconds / length / speakers))))


def _divided(utterances: Sequence[Utterance], plan: Plan) -> list[Utterance]:
    """The utterances with their splits: a part of each speaker's train recordings goes to the other side."""
    told = any(utterance.split for utterance in utterances)
    train = [replace(u, split="train") for u in utterances if u.split == "train" or not told]
    judging: set[str] = set()
    for (dataset, speaker, _), members in _sides(train).items():
        wanted = plan.share if isinstance(plan.share, int) else round(plan.share * len(members)) or bool(plan.share)
        count = min(int(wanted), len(members) - 1)
        order = stream("cuts to judge by", plan.seed, dataset, speaker).permutation(len(members))
        judging.update(members[i].id for i in order[:count])
    teaching = {u.id for u in train}

    def split(utterance: Utterance) -> str:
        if utterance.id not in teaching:
            return utterance.split
        return plan.dev if utterance.id in judging else "train"

    return [replace(utterance, split=split(utterance)) for utterance in utterances]


def _sides(utterances: Sequence[Utterance]) -> dict[Side, list[Utterance]]:
    """The recordings of each speaker on each side, both sorted, so that a manifest's order changes no draw."""
    sides: dict[Side, list[Utterance]] = {}
    for utterance in sorted(utterances, key=lambda u: (u.dataset, u.speaker, u.split, u.id)):
        sides.setdefault((utterance.dataset, utterance.speaker, utterance.split), []).append(utterance)
    return sides


def _counts(utterances: Sequence[Utterance], heard: dict[str, Span], plan: Plan) -> dict[str, int]:
    """How many cuts of a speaker each split takes."""
    splits = {utterance.split for utterance in utterances}
    if isinstance(plan.per_speaker, int):
        return dict.fromkeys(splits, plan.per_speaker)
    assert plan.length is not None
    counts = {}
    for split in splits:
        of_split = [u for u in utterances if u.split == split]
        seconds = sum(heard[u.id].count for u in of_split) / plan.rate
        counts[split] = automatic(seconds, len({(u.dataset, u.speaker) for u in of_split}), plan.length)
    return counts


def _drawn(
    side: Side, members: Sequence[Utterance], heard: dict[str, Span], plan: Plan, counts: dict[str, int]
) -> list[Utterance]:
    drawing = stream("cuts", plan.seed, *side)
    made = []
    for number in range(counts[side[2]]):
        utterance = members[int(drawing.integers(len(members)))]
        span = _piece(heard[utterance.id], plan, drawing)
        made.append(_placed(utterance, span, plan.rate, f"{utterance.id}-cut{number:05d}"))
    return made


def _piece(whole: Span, plan: Plan, drawing: np.random.Generator) -> Span:
    if plan.length is not None:
        count = min(max(1, round(plan.length * plan.rate)), whole.count)
        return Span(whole.first + int(drawing.integers(whole.count - count, endpoint=True)), count)
    least = round(plan.least * plan.rate)
    # Two points anywhere, given that they lie so far apart: two points of what is left, and the least between them.
    near, far = sorted(int(point) for point in drawing.integers(whole.count - least, size=2, endpoint=True))
    return Span(whole.first + near, far - near + least)


def _placed(utterance: Utterance, span: Span, rate: int, name: str) -> Utterance:
    extra = tuple(sorted({**dict(utterance.extra), RECORDING: utterance.id}.items()))
    return replace(utterance, id=name, start=span.first / rate, duration=span.count / rate, extra=extra)


def _notes(manifest: Manifest, usable: Sequence[Utterance], heard: dict[str, Span], plan: Plan) -> tuple[str, ...]:
    notes = []
    if short := len(heard) - len(usable):
        notes.append(f"{short} recordings are shorter than {plan.least:g} s and were left out")
    if lost := set(manifest.speakers) - {utterance.speaker for utterance in usable}:
        notes.append(f"{len(lost)} speakers, such as {min(lost)}, have no recording that can be cut")
    return tuple(notes)
