"""Two recordings to one decision: the same speaker, different speakers, or too little speech to say."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32
from scipy.special import expit

from voxsphere.audio.quality import warnings as quality_warnings
from voxsphere.backend.cosine import cosine
from voxsphere.backend.expected import Expected
from voxsphere.core.errors import BadInput
from voxsphere.extract.voice import Recording, Voice, listen
from voxsphere.pretrained import Card, Pretrained
from voxsphere.pretrained import load as load_pretrained

Decision = Literal["same speaker", "different speakers", "insufficient speech", "no calibration"]


@dataclass(frozen=True)
class Verdict:
    """The answer to "is it the same speaker?", and how far it can be trusted.

    `score` is the cosine; `llr` the natural logarithm of the likelihood ratio same : different; `probability` the
    posterior of "same speaker" at the stated `prior`; the decision is "same speaker" where the LLR reaches
    `threshold` = -logit(prior). `expected` holds the miss and false-alarm rates to expect of such decisions.
    What is not known is None, never a made-up number.
    """

    decision: Decision
    score: float | None
    llr: float | None
    probability: float | None
    prior: float
    threshold: float
    expected: Expected | None
    speech_seconds: tuple[float, float]
    warnings: tuple[str, ...]
    model: str

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Vox:
    """A model with its verbs. `voxsphere.load(name)` makes one."""

    pretrained: Pretrained

    @property
    def card(self) -> Card:
        """The model's card."""
        return self.pretrained.card

    def embed(self, recording: Recording) -> Float32[np.ndarray, " dim"]:
        """The raw embedding of an audio file, or of a wave (±1) at the model's rate."""
        return listen(self.pretrained, recording).vector

    def verify(self, a: Recording, b: Recording, *, prior: float = 0.5) -> Verdict:
        """Decide whether two recordings are of the same speaker; see `Verdict`.

        `prior` is the probability of "same speaker" before listening, in (0, 1).
        """
        return decide(self.pretrained, listen(self.pretrained, a), listen(self.pretrained, b), prior=prior)


def load(name: str | Path = "campplus-zh-en") -> Vox:
    """The model that `name` means (a known name, a folder, an address, a hub id), with its verbs."""
    return Vox(load_pretrained(name))


def decide(pretrained: Pretrained, a: Voice, b: Voice, *, prior: float = 0.5) -> Verdict:
    """The verdict on two voices that the model has listened to."""
    if not 0 < prior < 1:
        raise BadInput(f"a prior is a probability between 0 and 1, not {prior}")
    card = pretrained.card
    speech = (a.quality.speech_seconds, b.quality.speech_seconds)
    threshold = math.log1p(-prior) - math.log(prior)
    score = llr = probability = expected = None
    decision: Decision = "insufficient speech"
    if min(speech) >= card.min_speech_seconds:
        score = float(cosine(np.stack([a.vector, b.vector]), np.array([0]), np.array([1]))[0])
        decision = "no calibration"
        if card.calibration is not None and card.errors is not None:
            llr = float(card.calibration.apply(np.array([score]), np.array([speech[0]]), np.array([speech[1]]))[0])
            probability = float(expit(llr - threshold))
            decision = "same speaker" if llr >= threshold else "different speakers"
            expected = card.errors.at(threshold, min(speech))
    return Verdict(
        decision=decision,
        score=score,
        llr=llr,
        probability=probability,
        prior=prior,
        threshold=threshold,
        expected=expected,
        speech_seconds=speech,
        warnings=_warnings(pretrained, a, b),
        model=f"{card.name} ({pretrained.fingerprint})",
    )


def _warnings(pretrained: Pretrained, a: Voice, b: Voice) -> tuple[str, ...]:
    rate, least = pretrained.model.sample_rate, pretrained.card.min_speech_seconds
    found = []
    for side, voice in (("first", a), ("second", b)):
        if voice.quality.speech_seconds < least:
            # Cut off, not rounded: what is not enough must not look like enough.
            heard = math.floor(10 * voice.quality.speech_seconds) / 10
            found.append(f"{side} recording: {heard:.1f} s of speech, at least {least:.1f} s are needed")
        found += [f"{side} recording: {text}" for text in quality_warnings(voice.quality, model_rate=rate)]
    return tuple(found)
