"""Calibration put to the proof: LLRs of speakers it was not fitted on, and the error rates to expect of them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from voxsphere.backend.calibrate import Calibration
from voxsphere.backend.expected import RATES, ErrorBin, ErrorTable, Expected
from voxsphere.core.errors import BadInput
from voxsphere.core.random import stream
from voxsphere.metrics.confidence import bootstrap, no_error_bound
from voxsphere.metrics.detection import Tally, error_rates, error_rates_of, rates_at

__all__ = ["BINS", "THRESHOLDS", "ErrorTable", "Expected", "cross_validated_llr", "fit_error_table"]

THRESHOLDS = tuple(float(value) for value in np.linspace(-10, 10, 41))
"""LLR thresholds (nats) of an error table: the Bayes thresholds of priors from 0.99995 to 0.00005."""

BINS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Lower ends (seconds of speech on the shorter side) of an error table's bins; the last has no upper end."""


def cross_validated_llr(
    score: Float[np.ndarray, " trials"],
    seconds_a: Float[np.ndarray, " trials"],
    seconds_b: Float[np.ndarray, " trials"],
    target: Bool[np.ndarray, " trials"],
    speakers_a: Int[np.ndarray, " trials"],
    speakers_b: Int[np.ndarray, " trials"],
    *,
    weight: Float[np.ndarray, " trials"] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Float64[np.ndarray, " trials"]:
    """LLRs (nats) of trials by calibrations that know neither of their speakers.

    Speakers are dealt to folds. A fold's trials (both speakers in it) are calibrated by a fit to the trials that have
    no speaker in it. Trials across two folds are scored by no fold: their LLR is NaN. So all target trials are kept,
    and about one non-target trial in `folds`.
    """
    speakers = np.unique(np.concatenate([speakers_a, speakers_b]))
    if not 2 <= folds <= len(speakers) // 2:
        raise BadInput(f"{len(speakers)} speakers cannot be dealt to {folds} folds of two or more; there are too few")
    dealt = stream("folds of speakers", seed).permutation(len(speakers)) % folds
    fold_a, fold_b = (dealt[np.searchsorted(speakers, side)] for side in (speakers_a, speakers_b))
    llr = np.full(len(score), np.nan)
    for fold in range(folds):
        held, train = (fold_a == fold) & (fold_b == fold), (fold_a != fold) & (fold_b != fold)
        share = None if weight is None else weight[train]
        fitted = Calibration.fit(score[train], seconds_a[train], seconds_b[train], target[train], weight=share)
        llr[held] = fitted.apply(score[held], seconds_a[held], seconds_b[held])
    return llr


def fit_error_table(
    llr: Float[np.ndarray, " trials"],
    seconds_a: Float[np.ndarray, " trials"],
    seconds_b: Float[np.ndarray, " trials"],
    target: Bool[np.ndarray, " trials"],
    speakers_a: Int[np.ndarray, " trials"],
    speakers_b: Int[np.ndarray, " trials"],
    *,
    bins: Sequence[float] = BINS,
    thresholds: Sequence[float] = THRESHOLDS,
    least_speakers: int = 10,
    replicates: int | None = None,
    seed: int = 0,
    sources: Int[np.ndarray, " trials"] | None = None,
    provenance: str = "",
) -> ErrorTable:
    """Miss and false-alarm rates of LLRs at `thresholds`, by the speech seconds of a trial's shorter side.

    Intervals (95 %) are by bootstrap over speakers. Where not one error was seen (or nothing but errors) the
    bootstrap is blind, and the interval reaches to the exact bound for that many speakers. Speakers drawn again say
    nothing of another kind of recording: with `sources` (a number for each trial's data set) the intervals are widened
    to hold the rate of each source that has `least_speakers` speakers of its own. LLRs that are NaN are left out; a
    bin with fewer than `least_speakers` speakers in target or in non-target trials is not listed.
    """
    kinds = np.zeros(len(llr), dtype=np.int64) if sources is None else np.asarray(sources)
    shorter = np.minimum(seconds_a, seconds_b)
    ends = [*bins[1:], None]
    found = []
    for least, most in zip(bins, ends, strict=True):
        inside = ~np.isnan(llr) & (shorter >= least) & (shorter < (np.inf if most is None else most))
        t, n = inside & target, inside & ~target
        speakers = len(np.unique(speakers_a[t])), len(np.unique([speakers_a[n], speakers_b[n]]))
        if min(speakers) < max(least_speakers, 2):
            continue
        pairs = np.stack([speakers_a[n], speakers_b[n]], axis=1)
        rates = _rates(llr[t], llr[n], speakers_a[t], pairs, thresholds, speakers, replicates, seed)
        for kind in np.unique(kinds[inside]):
            own_t, own_n = t & (kinds == kind), n & (kinds == kind)
            own = len(np.unique(speakers_a[own_t])), len(np.unique([speakers_a[own_n], speakers_b[own_n]]))
            if min(own) >= least_speakers:
                _widen(rates, llr[own_t], llr[own_n], thresholds)
        found.append(
            ErrorBin(
                least=float(least),
                most=most,
                target_trials=int(t.sum()),
                nontarget_trials=int(n.sum()),
                speakers=min(speakers),
                **{name: tuple(float(number) for number in row) for name, row in rates.items()},
            )
        )
    return ErrorTable(tuple(float(value) for value in thresholds), tuple(found), provenance=provenance)


def _rates(
    target_llr: Float[np.ndarray, " targets"],
    nontarget_llr: Float[np.ndarray, " nontargets"],
    target_speakers: Int[np.ndarray, " targets"],
    nontarget_speakers: Int[np.ndarray, "nontargets 2"],
    thresholds: Sequence[float],
    speakers: tuple[int, int],
    replicates: int | None,
    seed: int,
) -> dict[str, Float64[np.ndarray, " thresholds"]]:
    """`RATES` at the thresholds; `speakers` counts those in target and those in non-target trials."""
    grid = np.asarray(thresholds, dtype=np.float64)

    def both(tally: Tally) -> Float64[np.ndarray, " rates"]:
        return np.concatenate(rates_at(error_rates_of(tally), grid))

    seen = bootstrap(
        target_llr, nontarget_llr, target_speakers, nontarget_speakers, both, replicates=replicates, seed=seed
    )
    if seen.low is None or seen.high is None:
        raise BadInput("an error table needs two or more speakers and one or more replicates")
    rows: list[Float64[np.ndarray, " thresholds"]] = []
    for side, count in enumerate(speakers):
        value, low, high = (np.split(part, 2)[side] for part in (seen.value, seen.low, seen.high))
        bound = no_error_bound(count)
        low, high = np.where(value == 1, 1 - bound, low), np.where(value == 0, bound, high)
        # Misses never fall and false alarms never rise with the threshold; an end that would is moved outwards.
        rising = slice(None, None, 1 if side == 0 else -1)
        low = np.minimum.accumulate(low[rising][::-1])[::-1][rising]
        high = np.maximum.accumulate(high[rising])[rising]
        rows += [value, low, high]
    return dict(zip(RATES, rows, strict=True))


def _widen(
    rates: dict[str, Float64[np.ndarray, " thresholds"]],
    target_llr: Float[np.ndarray, " targets"],
    nontarget_llr: Float[np.ndarray, " nontargets"],
    thresholds: Sequence[float],
) -> None:
    """Stretch the intervals of `rates` to hold the rates of these trials."""
    own = rates_at(error_rates(target_llr, nontarget_llr), np.asarray(thresholds, dtype=np.float64))
    for name, value in zip(("miss", "false_alarm"), own, strict=True):
        rates[f"{name}_low"] = np.minimum(rates[f"{name}_low"], value)
        rates[f"{name}_high"] = np.maximum(rates[f"{name}_high"], value)
