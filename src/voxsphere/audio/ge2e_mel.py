"""Resemblyzer's front end: mel power frames in exactly the number its sliding windows use."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from voxsphere.audio import frames
from voxsphere.audio.mel import slaney_bank
from voxsphere.audio.volume import raise_level
from voxsphere.core.errors import BadInput


class GE2EMel(nn.Module):
    """Mel *power* (no logarithm) of a wave brought up to `target_dbfs`, cut for windows of `window` frames.

    The frame count is always window + step · k: where the recording's end covers at least `min_coverage` of one more
    window it is padded with zeros to fill it, otherwise the rest is dropped; a recording shorter than one window is
    padded to one. Frames are centred (400 samples around every 160th, zeros beyond both ends) under a periodic Hann
    window, at 16 kHz. The count is Resemblyzer's wherever min_coverage · window exceeds window − step + 2 frames, as
    its defaults do: below, its own rule of dropping at most one window stops it earlier.

    Source: Resemblyzer 0.1.4 (Wan et al. 2018, arXiv:1710.10467, section 3.2), with its 1.3 windows a second as
    `step=77`. Its voice-activity trimming, meant for recordings with long pauses, is not part of the front end.
    """

    input = "wave"
    sample_rate, hop, n_fft = 16000, 160, 400

    def __init__(
        self,
        *,
        num_mels: int = 40,
        window: int = 160,
        step: int = 77,
        min_coverage: float = 0.75,
        target_dbfs: float = -30.0,
    ) -> None:
        super().__init__()
        if not 0 < step <= window:
            raise BadInput(f"windows of {window} frames every {step} frames leave gaps; step is 1 to {window}")
        if not 0 < min_coverage <= 1:
            raise BadInput(f"min_coverage is a share above 0 and at most 1, not {min_coverage}")
        self.dim, self.window, self.step = num_mels, window, step
        self.min_coverage, self.target_dbfs = min_coverage, target_dbfs
        bank = slaney_bank(sample_rate=self.sample_rate, n_fft=self.n_fft, num_mels=num_mels)
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.n_fft) / self.n_fft)
        self.bank: Tensor
        self.register_buffer("bank", torch.from_numpy(bank).to(torch.get_default_dtype()), persistent=False)
        self.hann: Tensor
        self.register_buffer("hann", torch.from_numpy(hann).to(torch.get_default_dtype()), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Mel power of each frame; the wave is ±1 at 16 kHz, of any length."""
        samples = wave.shape[1]
        margin = self.n_fft // 2
        # The last frame needs `spanned` samples, counted from `margin` before the first one.
        spanned = (self.frames_of(samples) - 1) * self.hop + self.n_fft
        # Padded with zeros to that, or cut off: a negative amount cuts.
        filled = pad(raise_level(wave, self.target_dbfs), (margin, spanned - margin - samples))
        cut = filled.unfold(1, self.n_fft, self.hop)
        power = frames.power(cut * self.hann.to(wave.dtype), self.n_fft)
        return frames.project(power, self.bank)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        needed = math.ceil(self.min_coverage * self.window * self.hop)
        further = _at_least_zero(samples - needed) // (self.step * self.hop)
        return self.window + self.step * further


def _at_least_zero(count: int) -> int:
    # An exported graph's lengths are symbols, which the built-in `max` would settle once and for all.
    clamped: int = torch.sym_max(0, count)  # type: ignore[no-untyped-call]
    return clamped
