"""Which utterances next: shuffled, drawn, by length, balanced over speakers, P speakers × K, or of like length.

A sampler is a pure function of (speakers, durations, epoch, seed): it holds no position, so a run can go on anywhere.
`batches(epoch)` gives the rows of the manifest that make up each batch of an epoch, whole batches only.
"""

import math
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float64, Int64

from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream

Rows = Int64[np.ndarray, "batches batch"]


class Sampler(Protocol):
    """`(speakers, durations, *, batch_size, seed)`, then its own options."""

    batches_per_epoch: int

    def batches(self, epoch: int) -> Rows: ...


class Shuffled:
    """Every utterance once an epoch, in a new order each time; what does not fill a batch waits for the next epoch."""

    def __init__(
        self, speakers: Sequence[int], durations: Sequence[float | None], *, batch_size: int, seed: int
    ) -> None:
        self.rows, self.batch_size, self.seed = len(speakers), batch_size, seed
        self.batches_per_epoch = _whole_batches(self.rows, batch_size)

    def batches(self, epoch: int) -> Rows:
        """The rows of each batch."""
        order = stream("shuffled", self.seed, epoch).permutation(self.rows)
        return order[: self.batches_per_epoch * self.batch_size].reshape(-1, self.batch_size)


class ByDuration:
    """Each utterance as often as it has `every` seconds, in a drawn order: the longer, the oftener.

    An epoch has one example for `every` seconds of the corpus, each second being as likely as any other. For windows
    (`Windows(count=M)`, M a time) `every` = M frames gives each frame of the corpus once an epoch in the mean; which
    ones is drawn. Utterances shorter than `every` come in some epochs.
    """

    def __init__(
        self,
        speakers: Sequence[int],
        durations: Sequence[float | None],
        *,
        batch_size: int,
        seed: int,
        every: float = 1.0,
    ) -> None:
        self.durations = _known(durations, "utterances are dealt by their durations, which the manifest lacks")
        if not every > 0:
            raise BadInput(f"an example for every {every} seconds is none; give a time above 0")
        self.batch_size, self.seed, self.every = batch_size, seed, every
        self.examples = int(self.durations.sum() / every)
        self.batches_per_epoch = _whole_batches(self.examples, batch_size)

    def batches(self, epoch: int) -> Rows:
        """The rows of each batch."""
        drawing = stream("by duration", self.seed, epoch)
        # One place in every so many seconds of all utterances laid end to end, in a drawn order.
        rows = drawing.permutation(len(self.durations))
        places = self.every * (np.arange(self.examples) + drawing.uniform())
        at = np.searchsorted(np.cumsum(self.durations[rows]), places, side="right")
        order = drawing.permutation(rows[np.minimum(at, len(rows) - 1)])
        return order[: self.batches_per_epoch * self.batch_size].reshape(-1, self.batch_size)


class Drawn:
    """Each example's utterance drawn by itself, all alike: one may come twice in a batch, another not for long.

    An epoch is `batches` of them (0: about as long as the corpus), whatever the corpus: for systems that count
    iterations, such as unified-embedding's (Hajibabaei & Dai 2018, arXiv:1807.08312).
    """

    def __init__(
        self,
        speakers: Sequence[int],
        durations: Sequence[float | None],
        *,
        batch_size: int,
        seed: int,
        batches: int = 0,
    ) -> None:
        if batches < 0 or not len(speakers):
            raise BadInput(f"{batches} batches an epoch of {len(speakers)} utterances: give 0 or more, and some speech")
        self.rows, self.batch_size, self.seed = len(speakers), batch_size, seed
        self.batches_per_epoch = batches or max(1, self.rows // batch_size)

    def batches(self, epoch: int) -> Rows:
        """The rows of each batch."""
        return stream("drawn", self.seed, epoch).integers(self.rows, size=(self.batches_per_epoch, self.batch_size))


class SpeakerBalanced:
    """Every speaker equally often: `repeats` examples of each an epoch, the utterances in turn, in a drawn order.

    With crops of drawn length this is how Kaldi makes its training examples (egs; `repeats` is its num-repeats).
    `repeats=0` keeps an epoch as long as the corpus; "auto" is SpeakerVerifiaction-pytorch's number of egs: twice the
    stretches of 3 s that a speaker has on average, or the next power of two. `renew=False` deals the same examples each
    epoch, as egs on a disk are; only their order changes.
    """

    def __init__(
        self,
        speakers: Sequence[int],
        durations: Sequence[float | None],
        *,
        batch_size: int,
        seed: int,
        repeats: int | Literal["auto"] = 0,
        renew: bool = True,
    ) -> None:
        self.members = _members(speakers)
        if repeats == "auto":
            repeats = _egs(durations, len(self.members))
        self.repeats = repeats or max(1, round(len(speakers) / len(self.members)))
        self.batch_size, self.seed, self.renew = batch_size, seed, renew
        self.batches_per_epoch = _whole_batches(self.repeats * len(self.members), batch_size)

    def batches(self, epoch: int) -> Rows:
        """The rows of each batch."""
        drawing = stream("balanced", self.seed, epoch if self.renew else 0)
        dealt = np.concatenate([_in_turn(rows, self.repeats, drawing) for rows in self.members])
        order = stream("balanced order", self.seed, epoch).permutation(dealt)
        return order[: self.batches_per_epoch * self.batch_size].reshape(-1, self.batch_size)


class SpeakersByUtterances:
    """Batches of P speakers × K utterances, K = `utterances`, P = batch size / K; a speaker's stand side by side.

    Each epoch every speaker's utterances are dealt out in a drawn order, K at a time; a speaker with fewer than K
    gives some of them again. Losses on pairs and triplets need such batches. With `cycles` every speaker comes so many
    times an epoch, however many utterances he has; 0 keeps an epoch as long as the corpus.
    """

    def __init__(
        self,
        speakers: Sequence[int],
        durations: Sequence[float | None],
        *,
        batch_size: int,
        seed: int,
        utterances: int = 2,
        cycles: int = 0,
    ) -> None:
        self.members = _members(speakers)
        if cycles < 0:
            raise BadInput(
                f"cycles: a speaker cannot come {cycles} times an epoch; give 1 or more, or 0 for as many "
                "times as he has utterances for"
            )
        if utterances < 1:
            raise BadInput(
                f"a batch of {batch_size} cannot hold {utterances} utterances of each speaker; give 1 or more"
            )
        if batch_size % utterances or batch_size // utterances > len(self.members):
            fits = utterances * max(1, min(batch_size // utterances, len(self.members)))
            raise BadInput(
                f"a batch of {batch_size} cannot hold {utterances} utterances of each speaker: it is to be a multiple "
                f"of {utterances}, of at most {len(self.members)} speakers; --set batch_size={fits}"
            )
        self.utterances, self.batch_size, self.seed, self.cycles = utterances, batch_size, seed, cycles
        groups = cycles * len(self.members) or sum(max(1, len(rows) // utterances) for rows in self.members)
        self.batches_per_epoch = max(1, groups * utterances // batch_size)

    def batches(self, epoch: int) -> Rows:
        """The rows of each batch, K of one speaker after the other, each speaker once a batch."""
        drawing = stream("speakers by utterances", self.seed, epoch)
        groups = [self._groups(rows, drawing) for rows in self.members]
        speakers, made = self.batch_size // self.utterances, []
        for _ in range(self.batches_per_epoch):
            # Those who have most left go first, so that the groups of all come to an end together.
            left = np.array([len(group) for group in groups]) + drawing.uniform(0, 0.5, len(groups))
            chosen = drawing.permutation(np.argsort(-left)[:speakers])
            batch = []
            for speaker in chosen:
                if not groups[speaker]:
                    groups[speaker] = self._groups(self.members[speaker], drawing)
                batch.append(groups[speaker].pop())
            made.append(np.concatenate(batch))
        return np.stack(made)

    def _groups(self, rows: Int64[np.ndarray, " members"], drawing: np.random.Generator) -> list[np.ndarray]:
        """A speaker's utterances, K at a time: all of them once, or `cycles` groups of as many rounds as that takes."""
        count = max(1, len(rows) // self.utterances)
        rounds = max(1, -(-self.cycles // count))
        made = [
            group
            for _ in range(rounds)
            for group in _in_turn(rows, count * self.utterances, drawing).reshape(count, self.utterances)
        ]
        return made[: self.cycles] if self.cycles else made


class Bucketed:
    """Every utterance once an epoch, batches of like duration, the batches in a drawn order.

    Utterances are shuffled, cut into stretches of `width` batches, and sorted by duration within each: the wider, the
    more alike.
    """

    def __init__(
        self,
        speakers: Sequence[int],
        durations: Sequence[float | None],
        *,
        batch_size: int,
        seed: int,
        width: int = 50,
    ) -> None:
        self.durations = _known(durations, "buckets need durations in the manifest")
        if width < 1:
            raise BadInput(f"buckets of {width} batches hold nothing; give a width of 1 or more")
        self.batch_size, self.seed, self.width = batch_size, seed, width
        self.batches_per_epoch = _whole_batches(len(self.durations), batch_size)

    def batches(self, epoch: int) -> Rows:
        """The rows of each batch."""
        drawing = stream("bucketed", self.seed, epoch)
        # What does not fill a batch is left out before the sorting, or it would be the longest in every epoch.
        order = drawing.permutation(len(self.durations))[: self.batches_per_epoch * self.batch_size]
        stretch = self.width * self.batch_size
        sorted_within = [
            part[np.argsort(self.durations[part], kind="stable")]
            for part in (order[first : first + stretch] for first in range(0, len(order), stretch))
        ]
        return drawing.permutation(np.concatenate(sorted_within).reshape(-1, self.batch_size), axis=0)


def _egs(durations: Sequence[float | None], speakers: int) -> int:
    """2^⌈log2(2 · all seconds / 3 / speakers)⌉."""
    known = [duration for duration in durations if duration is not None]
    if len(known) < len(durations):
        raise BadInput(
            "repeats=auto counts seconds, and the manifest lacks some durations (utt2dur of a Kaldi folder; `voxsphere "
            "check --out` measures them); give a number, as in --set sampler.repeats=32"
        )
    return int(2 ** max(0, math.ceil(math.log2(2 * math.fsum(known) / 3 / speakers))))


def _known(durations: Sequence[float | None], need: str) -> Float64[np.ndarray, " rows"]:
    """The durations, all of them; `BadInput` says what they are needed for where one is not known."""
    if any(duration is None for duration in durations):
        raise BadInput(f"{need}; `voxsphere check --out` writes them")
    return np.array(durations, dtype=np.float64)


def _whole_batches(examples: int, batch_size: int) -> int:
    if examples < batch_size:
        raise BadInput(f"{examples} examples an epoch do not fill one batch of {batch_size}; take a smaller batch_size")
    return examples // batch_size


def _members(speakers: Sequence[int]) -> list[Int64[np.ndarray, " members"]]:
    numbers = np.asarray(speakers)
    order = np.argsort(numbers, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1))


def _in_turn(
    rows: Int64[np.ndarray, " members"], count: int, drawing: np.random.Generator
) -> Int64[np.ndarray, " count"]:
    """`count` of the rows: all of them in a drawn order before any comes again."""
    rounds = [drawing.permutation(rows) for _ in range(-(-count // len(rows)))]
    return np.concatenate(rounds)[:count]
