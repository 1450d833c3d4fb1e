"""Test-time crops: an utterance heard in many drawn pieces, or in chunks side by side, whose vectors are averaged."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from jaxtyping import Float32

from voxsphere.audio.augment.chain import apply_all, draw_all, place_of, samples_needed
from voxsphere.audio.augment.contract import Augmentation
from voxsphere.audio.augment.repetition import AppendItself, turned
from voxsphere.audio.augment.reversal import Reverse
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Utterance
from voxsphere.core.random import stream
from voxsphere.data.source import Held
from voxsphere.models.speaker import SpeakerModel, evaluating

Average = Literal["pooled", "embedding"]
_AT_ONCE = 16
"""So many pieces go through the network together."""
LONGEST = 600.0
"""So many seconds a piece may have: shorter utterances are repeated to it, and a slip would fill the memory."""


class Pieces(Protocol):
    """Cuts an utterance, of which `held` is the wave or the stored features, into pieces of one length.

    `name` tells the cut in letters without blanks, so that vectors of two cuts are never taken for one another.
    """

    @property
    def name(self) -> str: ...

    def check(self, model: SpeakerModel) -> None:
        """`BadInput` where the model can hear no such piece, whatever it is of."""
        ...

    def __call__(self, model: SpeakerModel, utterance: Utterance, held: Held) -> list[Held]: ...


@dataclass(frozen=True, kw_only=True)
class DrawnCrops:
    """`count` crops at drawn places, as many for a short utterance as for a long one.

    Hajibabaei & Dai 2018, Unified hypersphere embedding, arXiv:1807.08312, take 50 of 3.015 s, drawn as in training:
    of the recording appended to itself, and half of them backwards. `plain` crops lie within the recording and go
    forwards. The draws depend on `seed` and on the utterance's id alone, whoever cuts it.
    """

    count: int = 50
    seconds: float = 3.015
    plain: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise BadInput(f"{self.count} crops are none; give one or more")
        _check_length("crops", self.seconds)

    @property
    def name(self) -> str:
        """The cut in letters."""
        return f"crops={self.count}x{self.seconds:g}s{',plain' if self.plain else ''},seed={self.seed}"

    def check(self, model: SpeakerModel) -> None:
        """`BadInput` where stored features would have to be played backwards, or crops are too short for the model."""
        if model.width is not None and not self.plain:
            raise BadInput("stored features cannot be played backwards; take plain crops (--plain-crops)")
        _samples(model, self.seconds)

    def __call__(self, model: SpeakerModel, utterance: Utterance, held: Held) -> list[Held]:
        """The crops; errors as `check`'s."""
        self.check(model)
        samples = _samples(model, self.seconds)
        augment = () if self.plain else (AppendItself(), Reverse())
        random = stream("test crops", self.seed, utterance.id)
        return crops_of(held, random, count=self.count, samples=samples, rate=model.sample_rate, augment=augment)


@dataclass(frozen=True, kw_only=True)
class FixedChunks:
    """Chunks of `seconds` side by side, the last of them aligned to the end; a shorter utterance is repeated to one.

    SpeakerVerifiaction-pytorch's test mode `fix`, whose chunks are 300 frames: 3.015 s of a wave, and 3 s of stored
    features at a hundred frames a second.
    """

    seconds: float = 3.015

    def __post_init__(self) -> None:
        _check_length("chunks", self.seconds)

    @property
    def name(self) -> str:
        """The cut in letters."""
        return f"chunks={self.seconds:g}s"

    def check(self, model: SpeakerModel) -> None:
        """`BadInput` where chunks are too short for the model."""
        _samples(model, self.seconds)

    def __call__(self, model: SpeakerModel, utterance: Utterance, held: Held) -> list[Held]:
        """The chunks; errors as `check`'s."""
        samples = _samples(model, self.seconds)
        if len(held) < samples:
            return [_repeated(held, samples)]
        whole = [held[first : first + samples] for first in range(0, len(held) - samples + 1, samples)]
        return whole if len(held) % samples == 0 else [*whole, held[-samples:]]


@dataclass(frozen=True)
class ByPieces:
    """An utterance's embedding from its pieces: their mean embedding, or the projection of their mean pooled vector."""

    pieces: Pieces
    average: Average = "pooled"

    def __post_init__(self) -> None:
        if self.average not in ("pooled", "embedding"):
            raise BadInput(f"average: {self.average!r} is neither 'pooled' nor 'embedding'")

    @property
    def name(self) -> str:
        """Cut and average in letters."""
        return f"{self.pieces.name},{self.average}"

    def embed(self, model: SpeakerModel, utterance: Utterance, held: Held) -> Float32[np.ndarray, " dim"]:
        """The raw embedding of the utterance, of which `held` is the wave or the stored features."""
        pieces = self.pieces(model, utterance, held)
        device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
        total: torch.Tensor | None = None
        with torch.inference_mode(), evaluating(model):
            for first in range(0, len(pieces), _AT_ONCE):
                some = torch.from_numpy(np.stack(pieces[first : first + _AT_ONCE])).to(device)
                vectors = (model.pooled(some) if self.average == "pooled" else model(some)).double().sum(0)
                # A sum of its own: what the network returned may be memory that it goes on using.
                total = vectors if total is None else total + vectors
            assert total is not None
            mean = (total / len(pieces)).float()
            embedding = model.projection(mean[None])[0] if self.average == "pooled" else mean
            return np.asarray(embedding.float().cpu().numpy())


def crops_of(
    wave: Held,
    random: np.random.Generator,
    *,
    count: int,
    samples: int,
    rate: int,
    augment: tuple[Augmentation, ...] = (AppendItself(), Reverse()),
) -> list[Held]:
    """`count` crops of `samples` of a wave, each augmented by draws of its own, as examples are in training.

    A wave that is shorter than what a crop takes is repeated.
    """
    made = []
    for _ in range(count):
        deeds = draw_all(augment, random, samples, rate)
        needed, place = samples_needed(deeds, samples), place_of(deeds)
        if place is None:
            first = int(random.integers(max(1, len(wave) - needed + 1)))
            piece = _repeated(wave, needed) if len(wave) < needed else wave[first : first + needed]
        else:
            piece = turned(wave, place, needed)
        made.append(apply_all(deeds, piece, rate, samples))
    return made


def _check_length(pieces: str, seconds: float) -> None:
    if not 0 < seconds <= LONGEST:
        raise BadInput(f"{pieces} of {seconds:g} s: give more than no time, and {LONGEST:g} s at most")


def _samples(model: SpeakerModel, seconds: float) -> int:
    """The length of a piece in what the model takes; `BadInput` if that is too little for it."""
    samples = round(seconds * model.rate)
    if samples < model.shortest:
        raise BadInput(f"pieces of {seconds:g} s are too short for the model; give longer ones")
    return samples


def _repeated(held: Held, samples: int) -> Held:
    return np.concatenate([held] * math.ceil(samples / len(held)))[:samples]
