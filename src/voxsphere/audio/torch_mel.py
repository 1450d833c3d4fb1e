"""ReDimNet's front end: torchaudio's mel spectrogram of the pre-emphasised wave, as logarithms around their mean."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from voxsphere.audio import frames
from voxsphere.audio.mel import htk_bank


class TorchMel(nn.Module):
    """log(mel power + 10⁻⁶) of frames of 25 ms under a Hamming window, less each utterance's mean over its frames.

    Frames are centred on every `frame_shift` seconds from the first sample on, the wave mirrored beyond both ends; the
    window is periodic, the mel triangles are straight in Hz from `low_freq` to `high_freq`. Pre-emphasis runs along
    the whole wave. The defaults are those of the published B2 and B5 (a frame every 15 ms).

    Source: IDRnD/redimnet at dd9f519, layers/features.py (`MelBanks`), on torchaudio's `MelSpectrogram`.
    """

    input = "wave"
    sample_rate, length, n_fft = 16000, 400, 512

    def __init__(
        self,
        *,
        num_mels: int = 72,
        frame_shift: float = 0.015,
        low_freq: float = 20.0,
        high_freq: float = 7600.0,
        preemphasis: float = 0.97,
    ) -> None:
        super().__init__()
        self.dim, self.preemphasis = num_mels, preemphasis
        self.hop = frames.samples_of(frame_shift, self.sample_rate)
        bank = htk_bank(
            sample_rate=self.sample_rate, n_fft=self.n_fft, num_mels=num_mels, low_freq=low_freq, high_freq=high_freq
        )
        hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(self.length) / self.length)
        self.bank: Tensor
        self.register_buffer("bank", torch.from_numpy(bank).to(torch.get_default_dtype()), persistent=False)
        self.window: Tensor
        self.register_buffer("window", torch.from_numpy(hamming).to(torch.get_default_dtype()), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Log mel power of each frame; the wave is ±1 at 16 kHz, longer than half a frame (`BadInput` otherwise)."""
        margin = self.length // 2
        frames.long_enough(wave, margin + 1)
        emphasised = frames.emphasise_wave(frames.widened(wave), self.preemphasis)
        cut = pad(emphasised, (margin, margin), mode="reflect").unfold(1, self.length, self.hop)
        power = frames.power(cut * self.window.to(cut.dtype), self.n_fft).to(wave.dtype)
        logarithms = (frames.project(power, self.bank) + 1e-6).log()
        return logarithms - logarithms.mean(1, keepdim=True)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return 1 + samples // self.hop if samples > self.length // 2 else 0
