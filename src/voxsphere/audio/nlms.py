"""The normalised LMS adaptive filter: what of a wave a reference explains, and what it does not."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from scipy.linalg.blas import dtrsv

from voxsphere.core.errors import BadInput

_BLOCK = 64


@dataclass(frozen=True)
class Filtered:
    """What the filter made of the reference (`estimate`), what is left of the wave (`error`), its `weights` at the end.

    `weights[k]` belongs to the reference `k` samples ago. Estimate and error add up to the wave.
    """

    estimate: Float64[np.ndarray, " samples"]
    error: Float64[np.ndarray, " samples"]
    weights: Float64[np.ndarray, " taps"]


def nlms(
    reference: Float[np.ndarray, " samples"],
    desired: Float[np.ndarray, " samples"],
    *,
    taps: int = 32,
    step: float = 0.5,
    regulariser: float = 1e-6,
) -> Filtered:
    """Estimate `desired` from the last `taps` samples of `reference`, learning at every sample.

    y = wᵀx, e = d − y, w ← w + μ e x / (ε + ‖x‖²), from w = 0 (Haykin, Adaptive Filter Theory, normalised LMS);
    `step` is μ, stable between 0 and 2, and `regulariser` is ε, in units of the squares of the samples. With noise
    picked up elsewhere as reference, the error is the cleaned wave (noise cancelling); with the wave itself some time
    ago, the error is the wave without its steady tones.
    """
    if len(reference) != len(desired):
        raise BadInput(f"the reference has {len(reference)} samples, the wave {len(desired)}; they must be as long")
    if taps < 1 or not 0 <= step <= 2 or not regulariser > 0:
        raise BadInput(f"taps {taps}, step {step}, regulariser {regulariser}: give 1 or more, 0 to 2, and above 0")
    padded = np.concatenate([np.zeros(taps - 1), np.asarray(reference, np.float64)])
    wave = np.asarray(desired, np.float64)
    weights = np.zeros(taps)
    if len(wave) == 0:
        return Filtered(wave, wave, weights)
    error = np.empty(len(wave))
    rows = np.lib.stride_tricks.sliding_window_view(padded, taps)[:, ::-1]
    gains = step / (regulariser + np.einsum("ij,ij->i", rows, rows))
    for first in range(0, len(wave), _BLOCK):
        block = slice(first, first + _BLOCK)
        x, gain = np.ascontiguousarray(rows[block]), gains[block]
        # Within a block each weight vector is the first one plus Σ gain·e·x of the samples before, so the errors solve
        # a triangular system: the sample-by-sample recursion exactly, at the speed of matrices. (What stands above the
        # diagonal is not read, and the diagonal counts as 1.)
        error[block] = dtrsv(x @ x.T * gain, wave[block] - x @ weights, lower=1, diag=1)
        weights += (gain * error[block]) @ x
    return Filtered(wave - error, error, weights)
