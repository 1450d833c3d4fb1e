"""Calibration: from a score to the log-likelihood ratio (LLR) that it is worth, given how much speech was heard."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.optimize import minimize
from scipy.special import expit

from voxsphere.backend.expected import ErrorBin, ErrorTable, Expected
from voxsphere.core.errors import BadInput

__all__ = ["Calibration", "ErrorBin", "ErrorTable", "Expected", "duration_measure"]

SHORTEST, LONGEST = 0.5, 30.0
"""Speech seconds beyond which the duration measure stays constant."""


@dataclass(frozen=True)
class Calibration:
    """An affine map to LLRs (nats) whose slope and offset move with the duration of the speech.

    llr = (slope + slope_duration · g) · score + (offset + offset_duration · g), where g in [-1, 1] is
    `duration_measure`. The LLR rises with the score at every duration: `slope` > |`slope_duration`|, else `BadInput`.
    """

    slope: float
    slope_duration: float
    offset: float
    offset_duration: float
    provenance: str = ""

    def __post_init__(self) -> None:
        numbers = (self.slope, self.slope_duration, self.offset, self.offset_duration)
        if not all(math.isfinite(number) for number in numbers):
            raise BadInput(f"a calibration needs finite numbers, not {numbers}")
        if self.slope <= abs(self.slope_duration):
            raise BadInput(
                f"calibration slope {self.slope:g} ± {abs(self.slope_duration):g}: an LLR has to rise with the score; "
                "are the labels the right way round?"
            )

    def apply(
        self,
        score: Float[np.ndarray, " trials"],
        seconds_a: Float[np.ndarray, " trials"],
        seconds_b: Float[np.ndarray, " trials"],
    ) -> Float64[np.ndarray, " trials"]:
        """The LLRs (nats) of scores, given the speech seconds on both sides of each trial."""
        g = duration_measure(seconds_a, seconds_b)
        slope = self.slope + self.slope_duration * g
        return slope * np.asarray(score, dtype=np.float64) + self.offset + self.offset_duration * g

    @staticmethod
    def fit(
        score: Float[np.ndarray, " trials"],
        seconds_a: Float[np.ndarray, " trials"],
        seconds_b: Float[np.ndarray, " trials"],
        target: Bool[np.ndarray, " trials"],
        *,
        prior: float = 0.5,
        weight: Float[np.ndarray, " trials"] | None = None,
        l2: float = 1e-6,
        provenance: str = "",
    ) -> "Calibration":
        """Logistic regression whose classes weigh `prior` and 1 - `prior`, however many trials each has.

        Brümmer & du Preez (2006), section 7: the prior-weighted cross-entropy of the posteriors
        logit⁻¹(llr + logit prior). Prior ½ minimises Cllr. Weights, if given, are multiplied in first. `l2` is a
        penalty on the standardised slopes: small enough not to be seen, it keeps perfectly separated scores and
        trials of one single duration finite. The slope is kept above 0 by a bound on both ends of the duration range.
        """
        features, shift, spread = _features(score, seconds_a, seconds_b)
        sign, weight = _labels(target, weight, len(features), prior)
        best = minimize(
            _loss,
            np.array([1.0, 1.0, 0.0, 0.0]),
            args=(features, sign, weight, math.log(prior / (1 - prior)), l2),
            jac=True,
            method="L-BFGS-B",
            bounds=[(1e-3, None), (1e-3, None), (None, None), (None, None)],
            options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10},
        )
        short, long, short_offset, long_offset = (float(value) for value in best.x)
        if max(short, long) <= 1e-3:
            raise BadInput("the scores of target trials are no higher than the others'; nothing can be calibrated")
        slope, slope_duration = (short + long) / 2 / spread, (long - short) / 2 / spread
        return Calibration(
            slope=slope,
            slope_duration=slope_duration,
            offset=(short_offset + long_offset) / 2 - slope * shift,
            offset_duration=(long_offset - short_offset) / 2 - slope_duration * shift,
            provenance=provenance,
        )

    def to_json(self) -> dict[str, Any]:
        """The calibration as JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> "Calibration":
        """The calibration that `to_json` gave; `BadInput` names what is missing."""
        names = [field.name for field in fields(Calibration)]
        missing = [name for name in names if name not in content]
        if missing:
            raise BadInput(f"a calibration needs {', '.join(missing)}")
        numbers = {name: float(content[name]) for name in names if name != "provenance"}
        return Calibration(provenance=str(content["provenance"]), **numbers)


def duration_measure(
    seconds_a: Float[np.ndarray, " trials"], seconds_b: Float[np.ndarray, " trials"]
) -> Float64[np.ndarray, " trials"]:
    """How much speech a trial has, in [-1, 1]: the logarithm of the harmonic mean of both sides' speech seconds.

    -1 stands for 0.5 s, 0 for 3.9 s, 1 for 30 s; beyond these ends it stays. The harmonic mean, because the variance
    that an embedding owes to its few frames falls as 1 / seconds, and a trial bears the variance of both its sides.
    """
    a, b = (np.clip(np.asarray(side, dtype=np.float64), SHORTEST, LONGEST) for side in (seconds_a, seconds_b))
    if np.isnan(a).any() or np.isnan(b).any():
        raise BadInput("speech seconds are not numbers for some trials; calibration needs them for all")
    mean = 2 / (1 / a + 1 / b)
    centre, half_range = math.log(SHORTEST * LONGEST) / 2, math.log(LONGEST / SHORTEST) / 2
    return (np.log(mean) - centre) / half_range


def _features(
    score: Float[np.ndarray, " trials"],
    seconds_a: Float[np.ndarray, " trials"],
    seconds_b: Float[np.ndarray, " trials"],
) -> tuple[Float64[np.ndarray, "trials 4"], float, float]:
    """Standardised score and 1, each split between the short and the long end of the duration range.

    In these the map is linear, and "the slope is positive at every duration" is two bounds.
    """
    score = np.asarray(score, dtype=np.float64)
    g = duration_measure(seconds_a, seconds_b)
    if score.ndim != 1 or score.shape != g.shape:
        raise BadInput(f"each score needs its two durations: there are {score.size} scores, {g.size} durations")
    if not np.isfinite(score).all():
        raise BadInput(f"score {int(np.argmin(np.isfinite(score)))} is not a finite number")
    shift, spread = float(np.mean(score)), float(np.std(score))
    if spread == 0:
        raise BadInput("all scores are alike; nothing can be calibrated")
    standard, short, long = (score - shift) / spread, (1 - g) / 2, (1 + g) / 2
    return np.stack([standard * short, standard * long, short, long], axis=1), shift, spread


def _labels(
    target: Bool[np.ndarray, " trials"], weight: Float[np.ndarray, " trials"] | None, trials: int, prior: float
) -> tuple[Float64[np.ndarray, " trials"], Float64[np.ndarray, " trials"]]:
    """+1 or -1 for each trial, and its weight: targets sum to `prior`, non-targets to the rest."""
    if not 0 < prior < 1:
        raise BadInput(f"a prior is a probability between 0 and 1, not {prior}")
    target = np.asarray(target, dtype=bool)
    share = np.ones(trials) if weight is None else np.array(weight, dtype=np.float64)
    if target.shape != (trials,) or share.shape != (trials,) or not (share >= 0).all():
        raise BadInput("each trial needs its label, and a weight of 0 or more if there are weights")
    for kind, of_class, total in (("target", target, prior), ("non-target", ~target, 1 - prior)):
        whole = share[of_class].sum()
        if whole == 0:
            raise BadInput(f"there are no {kind} trials to calibrate on")
        share[of_class] *= total / whole
    return np.where(target, 1.0, -1.0), share


def _loss(
    at: Float64[np.ndarray, " 4"],
    features: Float64[np.ndarray, "trials 4"],
    sign: Float64[np.ndarray, " trials"],
    weight: Float64[np.ndarray, " trials"],
    prior_logit: float,
    l2: float,
) -> tuple[float, Float64[np.ndarray, " 4"]]:
    """The weighted cross-entropy (nats) with its penalty, and its exact gradient."""
    wrong = -sign * (features @ at + prior_logit)
    gradient = features.T @ (-sign * weight * expit(wrong))
    # Penalised: the mean slope, and the differences between the ends of the duration range.
    penalty = np.array([[0.5, 0.5, 0, 0], [-0.5, 0.5, 0, 0], [0, 0, -0.5, 0.5]])
    pulled = penalty @ at
    value = weight @ np.logaddexp(0.0, wrong) + l2 * (pulled @ pulled)
    return float(value), gradient + 2 * l2 * (penalty.T @ pulled)
