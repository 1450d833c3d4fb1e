"""Derivatives of features over time, stacked behind the features themselves."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from voxsphere.audio.front_end import FrontEnd
from voxsphere.core.errors import BadInput


class Deltas(nn.Module):
    """The features of another front end and their derivatives: [static, Δ, ΔΔ] along `dim`, up to `order`.

    Each is a sum over frames around t with fixed weights, in one of two forms.

    - "kaldi": Δ_t = Σ_j j · c_{t+j} / Σ_j j² for j from -`window` to `window`, and ΔΔ is the Δ of Δ, as one filter
      over 4 · `window` + 1 frames; the first and the last frame stand in for what lies beyond them (Kaldi,
      feat/feature-functions.cc, DeltaFeatures; add-deltas takes 2).
    - "librosa": the n-th derivative at the middle of a polynomial of degree n fitted to 2 · `window` + 1 frames; the
      first `window` frames take the value of the first whole fit, and the last that of the last (librosa 0.11,
      feature.delta with width = 2 · `window` + 1: Savitzky & Golay 1964). `window=1`, `order=2` is the system of
      Monteiro et al. 2019 (multitask_asv).

    For Δ both forms agree away from the ends. With `channels=3` a two-dimensional encoder
    takes static features, Δ and ΔΔ as an image of three channels.
    """

    def __init__(
        self,
        *,
        of: Callable[..., FrontEnd],
        order: int = 2,
        window: int = 2,
        form: Literal["kaldi", "librosa"] = "kaldi",
    ) -> None:
        super().__init__()
        if form not in ("kaldi", "librosa"):
            raise BadInput(f"no form {form!r} of deltas; there are: kaldi, librosa")
        if window < 1 or order < 1:
            raise BadInput(f"deltas of order {order} over {window} frames to each side: both are to be 1 or more")
        if form == "librosa" and order > 2 * window:
            raise BadInput(f"{2 * window + 1} frames fix no polynomial of degree {order}; take a larger window")
        self.of = of()
        self.input, self.sample_rate, self.hop = self.of.input, self.of.sample_rate, self.of.hop
        self.dim = (order + 1) * self.of.dim
        self.form = form
        taps = kaldi_taps(order, window) if form == "kaldi" else fitted_taps(order, window)
        self.taps: list[list[float]] = taps.tolist()

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The features, then the first order of all, then the second; in "librosa" the wave makes at least
        2 · `window` + 1 frames (`BadInput`).
        """
        static = self.of(wave)
        across = len(self.taps[0])
        if self.form == "kaldi":
            held = _held(static, across // 2)
            return torch.cat([static, *(_filtered(held, taps) for taps in self.taps)], dim=2)
        _long_enough(static, across)
        return torch.cat([static, *(_held(_filtered(static, taps), across // 2) for taps in self.taps)], dim=2)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.of.frames_of(samples)


def kaldi_taps(order: int, window: int) -> Float64[np.ndarray, "order taps"]:
    """The weights of each order, the middle one the frame's own; lower orders have zeros at both ends."""
    slope = np.arange(-window, window + 1) / np.square(np.arange(-window, window + 1)).sum()
    taps = [np.ones(1)]
    for _ in range(order):
        taps.append(np.convolve(taps[-1], slope))
    widest = len(taps[-1])
    return np.stack([np.pad(one, (widest - len(one)) // 2) for one in taps[1:]])


def fitted_taps(order: int, window: int) -> Float64[np.ndarray, "order taps"]:
    """The weights that take the n-th derivative, at the middle, of the least-squares polynomial of degree n."""
    at = np.arange(-window, window + 1)
    fits = (np.linalg.pinv(np.vander(at, degree + 1, increasing=True))[degree] for degree in range(1, order + 1))
    return np.stack([math.factorial(degree) * fit for degree, fit in enumerate(fits, start=1)])


def _filtered(x: Float[Tensor, "batch frames dim"], taps: list[float]) -> Float[Tensor, "batch fewer dim"]:
    """Σ_j taps_j · x_{t+j} wherever all the frames are there; a tap of zero costs nothing."""
    fewer = x.shape[1] - len(taps) + 1
    total = torch.zeros_like(x[:, :fewer])
    for j, tap in enumerate(taps):
        if tap:
            total = torch.add(total, x[:, j : j + fewer], alpha=tap)
    return total


def _held(x: Float[Tensor, "batch frames dim"], more: int) -> Float[Tensor, "batch longer dim"]:
    """The first and the last frame `more` times over, at their ends."""
    return torch.cat([x[:, :1].expand(-1, more, -1), x, x[:, -1:].expand(-1, more, -1)], dim=1)


def _long_enough(x: Float[Tensor, "batch frames dim"], least: int) -> None:
    if torch.compiler.is_compiling():
        return  # an exported graph has no length to ask about
    if x.shape[1] < least:
        raise BadInput(f"{x.shape[1]} frames are too few to fit derivatives over {least}; record more, or form='kaldi'")
