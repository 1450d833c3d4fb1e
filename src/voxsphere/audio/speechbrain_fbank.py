"""SpeechBrain's filter-bank features."""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from torch.nn.functional import pad

from voxsphere.audio import frames
from voxsphere.core.errors import BadInput

_LEAST = 1e-10  # no energy is taken to be smaller


class SpeechBrainFbank(nn.Module):
    """Mel energies in decibels as SpeechBrain's `Fbank` computes them, less the utterance's mean with `cmn`.

    It differs from Kaldi's in everything: frames are centred on multiples of `frame_shift` with zeros beyond both
    ends, under a periodic Hamming window, without pre-emphasis; the triangles are straight and symmetric *in Hz*, as
    wide to the right as to the left; energies are 10·log10, and none lies more than `top_db` below the utterance's
    largest. Lengths are in seconds, frequencies in Hz; `high_freq` None is half the sampling rate; `n_fft` is at least
    the frame's length. Source: SpeechBrain 1.1.2, processing/features.py (STFT, Filterbank), and the sentence mean of
    its speaker recipes (InputNormalization).
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        num_mels: int = 80,
        n_fft: int = 400,
        frame_length: float = 0.025,
        frame_shift: float = 0.010,
        low_freq: float = 0.0,
        high_freq: float | None = None,
        top_db: float = 80.0,
        cmn: bool = True,
    ) -> None:
        super().__init__()
        length = frames.samples_of(frame_length, sample_rate, nearest=True)
        high = sample_rate / 2 if high_freq is None else high_freq
        if n_fft < length:
            raise BadInput(f"n_fft={n_fft} is shorter than a frame of {length} samples")
        if not 0 <= low_freq < high:
            raise BadInput(f"a mel bank from {low_freq} to {high} Hz is empty")
        self.dim, self.sample_rate = num_mels, sample_rate
        self.hop = frames.samples_of(frame_shift, sample_rate, nearest=True)
        self.n_fft, self.top_db, self.cmn = n_fft, top_db, cmn
        hamming = np.zeros(n_fft)
        before = (n_fft - length) // 2
        hamming[before : before + length] = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(length) / length)
        bank = _bank(sample_rate=sample_rate, n_fft=n_fft, num_mels=num_mels, low_freq=low_freq, high_freq=high)
        self.window: Tensor
        self.register_buffer("window", torch.from_numpy(hamming).to(torch.get_default_dtype()), persistent=False)
        self.bank: Tensor
        self.register_buffer("bank", torch.from_numpy(bank).to(torch.get_default_dtype()), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Decibels of each frame's mel energies; the wave is ±1 at `sample_rate`, of any length."""
        margin = self.n_fft // 2
        cut = pad(wave, (margin, margin)).unfold(1, self.n_fft, self.hop)
        energies = frames.project(frames.power(cut * self.window.to(wave.dtype), self.n_fft), self.bank)
        decibels = 10 * energies.clamp_min(_LEAST).log10()
        decibels = torch.maximum(decibels, decibels.amax(dim=(1, 2), keepdim=True) - self.top_db)
        return decibels - decibels.mean(1, keepdim=True) if self.cmn else decibels

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return 1 + (samples + self.n_fft // 2 * 2 - self.n_fft) // self.hop


def _bank(
    *, sample_rate: int, n_fft: int, num_mels: int, low_freq: float, high_freq: float
) -> Float64[np.ndarray, "bins mels"]:
    """Triangles whose centres are equally far apart on the mel scale, each as wide as its distance from the last."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (low_freq, high_freq))
    hertz = 700 * (10 ** (np.linspace(low, high, num_mels + 2) / 2595) - 1)
    centres, widths = hertz[1:-1], np.diff(hertz)[:-1]
    bins = np.linspace(0, sample_rate // 2, n_fft // 2 + 1)[:, None]
    bank: Float64[np.ndarray, "bins mels"] = (1 - np.abs(bins - centres) / widths).clip(min=0)
    return bank
