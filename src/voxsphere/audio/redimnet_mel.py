"""ReDimNet's log mel front end."""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from torch.nn.functional import pad

from voxsphere.audio import frames

_FLOOR = 1e-6  # added to each energy


class ReDimNetMel(nn.Module):
    """Log mel energies of the pre-emphasised wave (±1), less the utterance's mean with `cmn`.

    The whole wave is pre-emphasised, its second sample standing in for the one before its first; with `level` it is
    brought to mean 0 and deviation 1 before. Frames are centred on multiples of the shift, the wave mirrored beyond
    both ends, under a periodic Hamming window; the mel triangles are straight *in Hz* and of height 1. Lengths are in
    seconds, frequencies in Hz. Source: IDRnD/redimnet at dd9f519, layers/features.py (MelBanks, on torchaudio's
    MelSpectrogram).
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        num_mels: int = 72,
        n_fft: int = 512,
        frame_length: float = 0.025,
        frame_shift: float = 0.010,
        low_freq: float = 20.0,
        high_freq: float = 7600.0,
        preemphasis: float = 0.97,
        level: bool = False,
        cmn: bool = True,
    ) -> None:
        super().__init__()
        length = round(frame_length * sample_rate)
        if n_fft < length:
            raise ValueError(f"n_fft={n_fft} is shorter than a frame of {length} samples")
        if not 0 <= low_freq < high_freq:
            raise ValueError(f"a mel bank from {low_freq} to {high_freq} Hz is empty")
        self.dim, self.sample_rate, self.hop = num_mels, sample_rate, round(frame_shift * sample_rate)
        self.n_fft, self.preemphasis, self.level, self.cmn = n_fft, preemphasis, level, cmn
        hamming = np.zeros(n_fft)
        before = (n_fft - length) // 2
        hamming[before : before + length] = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(length) / length)
        bank = _bank(sample_rate=sample_rate, n_fft=n_fft, num_mels=num_mels, low_freq=low_freq, high_freq=high_freq)
        self.window: Tensor
        self.register_buffer("window", torch.from_numpy(hamming).to(torch.get_default_dtype()), persistent=False)
        self.bank: Tensor
        self.register_buffer("bank", torch.from_numpy(bank).to(torch.get_default_dtype()), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Natural logarithms of each frame's mel energies; the wave is ±1 at `sample_rate`, longer than half a
        transform (`BadInput` otherwise).
        """
        margin = self.n_fft // 2
        frames.long_enough(wave, margin + 1)
        if self.level:
            wave = (wave - wave.mean(1, keepdim=True)) / (wave.std(1, keepdim=True, unbiased=False) + 1e-6)
        if self.preemphasis:
            wave = torch.sub(wave, torch.cat([wave[:, 1:2], wave[:, :-1]], dim=1), alpha=self.preemphasis)
        cut = pad(wave, (margin, margin), "reflect").unfold(1, self.n_fft, self.hop)
        energies = frames.project(frames.power(cut * self.window.to(wave.dtype), self.n_fft), self.bank)
        logarithms = (energies + _FLOOR).log()
        return logarithms - logarithms.mean(1, keepdim=True) if self.cmn else logarithms

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples; 0 where it would refuse."""
        return 1 + (samples + self.n_fft // 2 * 2 - self.n_fft) // self.hop if samples > self.n_fft // 2 else 0


def _bank(
    *, sample_rate: int, n_fft: int, num_mels: int, low_freq: float, high_freq: float
) -> Float64[np.ndarray, "bins mels"]:
    """Triangles whose corners are equally far apart on the mel scale, straight in Hz."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (low_freq, high_freq))
    edges = 700 * (10 ** (np.linspace(low, high, num_mels + 2) / 2595) - 1)
    bins = np.linspace(0, sample_rate // 2, n_fft // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank: Float64[np.ndarray, "bins mels"] = np.minimum(rising, falling).clip(min=0)
    return bank
