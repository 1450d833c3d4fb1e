"""Results: the figures of a score list, each with its 95 % interval, and what they were measured on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from voxsphere.core.errors import BadInput
from voxsphere.core.scores import Scores
from voxsphere.evaluate.speakers import speakers_of
from voxsphere.metrics.confidence import Bootstrap, bootstrap, no_error_bound
from voxsphere.metrics.detection import (
    Tally,
    accuracy_of,
    act_dcf_of,
    eer_of,
    eer_threshold_of,
    error_rates_of,
    min_dcf_of,
)
from voxsphere.metrics.likelihood import cllr_of, min_cllr_of
from voxsphere.metrics.ranking import average_precision_of, roc_auc_of

PRIORS = (0.01, 0.001)
"""The target priors of the detection costs, those of the NIST SRE plans and of the VoxCeleb challenges."""

Unit = Literal["rate", "cost", "bit", "area", "score"]


@dataclass(frozen=True)
class Figure:
    """One figure. A `rate` is a fraction, a `cost` normalised so that not listening costs 1, a `bit` bits a trial, an
    `area` one below a curve, at most 1, and a `score` lies on the scale of the scores.

    `interval` is the 95 % interval, None where it is not available.
    """

    name: str
    value: float
    unit: Unit
    interval: tuple[float, float] | None

    def worded(self, *values: float) -> str:
        """Values of this figure's kind in words, joined by "to": per cent for a rate, bits for information."""
        scale, places, unit = _SHOWN[self.unit]
        return " to ".join(f"{scale * value:.{places}f}" for value in values) + unit


_SHOWN: dict[Unit, tuple[float, int, str]] = {
    "rate": (100, 2, "\u00a0%"),
    "cost": (1, 3, ""),
    "bit": (1, 3, "\u00a0bit"),
    "area": (1, 4, ""),
    "score": (1, 3, ""),
}


@dataclass(frozen=True)
class Results:
    """What `evaluate` measured. `min_dcf` and `act_dcf` follow `PRIORS`; `act_dcf` and `cllr` need LLRs.

    `threshold` is the score from which accepting gives the EER, `accuracy` the share of trials decided rightly there.
    """

    trials: int
    targets: int
    nontargets: int
    speakers: int
    speakers_from: str
    eer: Figure
    threshold: Figure
    accuracy: Figure
    min_dcf: tuple[Figure, ...]
    act_dcf: tuple[Figure, ...] | None
    cllr: Figure | None
    min_cllr: Figure
    roc_auc: Figure
    average_precision: Figure
    replicates: int
    redrawn: int
    scale: str
    model: str

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order to show them."""
        of_llr = (*(self.act_dcf or ()), *([self.cllr] if self.cllr else []))
        areas = (self.roc_auc, self.average_precision)
        return (self.eer, self.threshold, self.accuracy, *self.min_dcf, *of_llr, self.min_cllr, *areas)

    @property
    def note(self) -> str:
        """How the figures and their intervals were made, in words."""
        if self.replicates == 0:
            intervals = "intervals not available: fewer than two speakers, or no replicates wanted"
        else:
            redrawn = f", {self.redrawn} drawn again for want of trials" if self.redrawn else ""
            intervals = f"95 % intervals: percentiles of {self.replicates} bootstrap replicates over speakers{redrawn}"
        return f"EER by linear interpolation on the ROC; {intervals}"

    def to_json(self) -> dict[str, Any]:
        """The results as JSON values: rates are fractions, an interval is [low, high] or null."""
        return {
            "eer": self.eer.value,
            "eer_interval": _pair(self.eer),
            "eer_threshold": self.threshold.value,
            "eer_threshold_interval": _pair(self.threshold),
            "accuracy": self.accuracy.value,
            "accuracy_interval": _pair(self.accuracy),
            "min_dcf": _by_prior(self.min_dcf),
            "min_dcf_interval": _intervals_by_prior(self.min_dcf),
            "act_dcf": _by_prior(self.act_dcf) if self.act_dcf else None,
            "act_dcf_interval": _intervals_by_prior(self.act_dcf) if self.act_dcf else None,
            "cllr": self.cllr.value if self.cllr else None,
            "cllr_interval": _pair(self.cllr) if self.cllr else None,
            "min_cllr": self.min_cllr.value,
            "min_cllr_interval": _pair(self.min_cllr),
            "roc_auc": self.roc_auc.value,
            "roc_auc_interval": _pair(self.roc_auc),
            "average_precision": self.average_precision.value,
            "average_precision_interval": _pair(self.average_precision),
            "counts": {
                "trials": self.trials,
                "targets": self.targets,
                "nontargets": self.nontargets,
                "speakers": self.speakers,
            },
            "speakers_from": self.speakers_from,
            "scale": self.scale,
            "model": self.model,
            "bootstrap": {"replicates": self.replicates, "redrawn": self.redrawn, "level": 0.95, "over": "speakers"},
            "note": self.note,
        }


def evaluate(
    scores: Scores, *, speaker_of: Mapping[str, str] | None = None, replicates: int | None = None, seed: int = 0
) -> Results:
    """Error rates and costs of labelled scores, with intervals by bootstrap over speakers (`metrics.confidence`).

    `speaker_of` gives the speaker of each recording; without it speakers are read off the list (`speakers_of`).
    `replicates` None suits their number to the list, 0 leaves intervals out. `act_dcf` and `cllr` are measured only
    where `scores.scale` is "llr". Where every replicate gives one and the same figure the bootstrap knows nothing: an
    EER of 0 then gets the exact bound for no error among that many speakers, other figures of no error what follows
    from it (`_bound`). Raises `BadInput` on lists without labels, without target or without non-target trials, and on
    contradicting labels.
    """
    enrol, test, origin = speakers_of(scores.trials, speaker_of)
    target = np.asarray(scores.trials.target, dtype=bool)
    if target.all() or not target.any():
        kind = "non-target" if target.any() else "target"
        raise BadInput(f"the list has no {kind} trials; error rates need both kinds")
    llr = scores.scale == "llr"
    found = bootstrap(
        scores.values[target],
        scores.values[~target],
        enrol[target],
        np.stack([enrol[~target], test[~target]], axis=1),
        partial(_with_llr if llr else _without_llr, share=float(target.mean())),
        replicates=replicates,
        seed=seed,
    )
    least_speakers = min(len(np.unique(enrol[target])), len(np.unique([enrol[~target], test[~target]])))
    figures = _figures(found, llr, least_speakers)
    of_llr = figures[_ALWAYS:]
    return Results(
        trials=len(target),
        targets=int(target.sum()),
        nontargets=int((~target).sum()),
        speakers=found.speakers,
        speakers_from=origin,
        eer=figures[0],
        threshold=figures[1],
        accuracy=figures[2],
        min_cllr=figures[3],
        roc_auc=figures[4],
        average_precision=figures[5],
        min_dcf=figures[6:_ALWAYS],
        act_dcf=of_llr[: len(PRIORS)] if llr else None,
        cllr=of_llr[-1] if llr else None,
        replicates=found.replicates,
        redrawn=found.redrawn,
        scale=scores.scale,
        model=scores.model,
    )


_ALWAYS = 6 + len(PRIORS)
"""How many figures any scores have; those of LLRs come after them."""


def _without_llr(tally: Tally, *, share: float) -> Float64[np.ndarray, " figures"]:
    """The figures of weighted trials; those that depend on the share of targets are of lists like this one."""
    curve = error_rates_of(tally)
    threshold = eer_threshold_of(curve)
    decided = (eer_of(curve), threshold, accuracy_of(tally, threshold=threshold, share=share))
    areas = (roc_auc_of(tally), average_precision_of(tally, share=share))
    return np.array([*decided, min_cllr_of(tally), *areas, *(min_dcf_of(curve, p_target=prior) for prior in PRIORS)])


def _with_llr(tally: Tally, *, share: float) -> Float64[np.ndarray, " figures"]:
    curve = error_rates_of(tally)
    costs = [act_dcf_of(curve, p_target=prior) for prior in PRIORS]
    return np.concatenate([_without_llr(tally, share=share), [*costs, cllr_of(tally)]])


def _figures(found: Bootstrap, llr: bool, least_speakers: int) -> tuple[Figure, ...]:
    labels: list[tuple[str, Unit]] = [
        ("EER", "rate"), ("EER threshold", "score"), ("accuracy there", "rate"), ("min Cllr", "bit"),
        ("ROC AUC", "area"), ("average precision", "area"),
    ]  # fmt: skip
    labels += [(f"minDCF (p={prior:g})", "cost") for prior in PRIORS]
    if llr:
        labels += [*((f"actDCF (p={prior:g})", "cost") for prior in PRIORS), ("Cllr", "bit")]
    figures = []
    for place, (name, unit) in enumerate(labels):
        interval, value = None, float(found.value[place])
        if found.low is not None and found.high is not None:
            interval = (float(found.low[place]), float(found.high[place]))
            if interval[0] == interval[1]:
                interval = _bound(name, unit, interval[1], no_error_bound(least_speakers))
        figures.append(Figure(name, value, unit, interval))
    return tuple(figures)


def _bound(name: str, unit: Unit, value: float, rate: float) -> tuple[float, float] | None:
    """Between what a figure of no error may really lie, if miss and false-alarm rates may be `rate`; None of others.

    A cost: both rates at the lower of `PRIORS`, at most 1. Bits: the entropy of the rate, since the min Cllr of a
    system of that EER is no higher. The area under the ROC: it runs through the point of these rates and never falls.
    """
    if name == "accuracy there" and value == 1:
        return 1 - rate, 1.0
    if name == "ROC AUC" and value == 1:
        return (1 - rate) ** 2, 1.0
    if value != 0 or unit in ("area", "score"):
        return None
    if unit == "rate":
        return 0.0, rate
    if unit == "cost":
        return 0.0, min(1.0, rate / min(PRIORS))
    half = min(rate, 0.5)
    return 0.0, float(-(half * np.log2(half) + (1 - half) * np.log2(1 - half)))


def _pair(figure: Figure) -> list[float] | None:
    return list(figure.interval) if figure.interval else None


def _by_prior(figures: tuple[Figure, ...]) -> dict[str, float]:
    return {f"{prior:g}": figure.value for prior, figure in zip(PRIORS, figures, strict=True)}


def _intervals_by_prior(figures: tuple[Figure, ...]) -> dict[str, list[float] | None]:
    return {f"{prior:g}": _pair(figure) for prior, figure in zip(PRIORS, figures, strict=True)}
