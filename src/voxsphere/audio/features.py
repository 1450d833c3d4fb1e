"""Kaldi's filter-bank and cepstral features and a plain spectrogram, as torch modules that take the wave."""

import math
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from voxsphere.audio import frames
from voxsphere.audio.frames import Window
from voxsphere.audio.mel import kaldi_bank
from voxsphere.core.errors import BadInput

# Kaldi takes logarithms of energies no smaller than float32's epsilon.
_FLOOR = torch.finfo(torch.float32).eps


class Fbank(nn.Module):
    """Log mel filter-bank energies, equal to Kaldi's compute-fbank-feats without dither.

    `scale` takes the wave (±1) to the range the energies are floored in: Kaldi reads 16-bit integers; front ends that
    feed Kaldi's code with ±1 waves (3D-Speaker, torchaudio's examples) are `scale=1`. `cmn` subtracts each
    utterance's mean over its frames. Lengths are in seconds, frequencies in Hz; a `high_freq` of zero or less counts
    down from half the sampling rate. Source: Kaldi, feat/feature-fbank.cc.
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        num_mels: int = 80,
        window: Window = "povey",
        frame_length: float = 0.025,
        frame_shift: float = 0.010,
        low_freq: float = 20.0,
        high_freq: float = 0.0,
        preemphasis: float = 0.97,
        remove_dc: bool = True,
        snip_edges: bool = True,
        scale: float = 32768.0,
        cmn: bool = False,
    ) -> None:
        super().__init__()
        if num_mels < 1:
            raise BadInput(f"num_mels: {num_mels} bands hold nothing; give 1 or more")
        self.dim, self.sample_rate = num_mels, sample_rate
        self.length = frames.samples_of(frame_length, sample_rate)
        self.hop = frames.samples_of(frame_shift, sample_rate)
        self.n_fft = frames.power_of_two(self.length)
        self.preemphasis, self.remove_dc, self.snip_edges, self.cmn = preemphasis, remove_dc, snip_edges, cmn
        bank = kaldi_bank(
            sample_rate=sample_rate, n_fft=self.n_fft, num_mels=num_mels, low_freq=low_freq, high_freq=high_freq
        )
        # The scale rides on the window: the default is a power of two, so no digit changes.
        self.window: Tensor
        self.register_buffer("window", _buffer(scale * frames.window(window, self.length)), persistent=False)
        self.bank: Tensor
        self.register_buffer("bank", _buffer(bank), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Natural logarithms of the mel energies of each frame. The wave is ±1 at `sample_rate`, at least one frame
        long (`BadInput` otherwise); float64 in gives float64 out.
        """
        cut = frames.cut(frames.widened(wave), length=self.length, shift=self.hop, snip_edges=self.snip_edges)
        cut = frames.centre(cut) if self.remove_dc else cut
        shaped = frames.emphasise(cut, self.preemphasis) * self.window.to(cut.dtype)
        power = frames.power(shaped, self.n_fft).to(wave.dtype)
        energies = frames.project(power, self.bank).clamp_min(_FLOOR).log()
        return energies - energies.mean(1, keepdim=True) if self.cmn else energies

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return frames.count(samples, length=self.length, shift=self.hop, snip_edges=self.snip_edges)


class Mfcc(nn.Module):
    """Mel-frequency cepstral coefficients, equal to Kaldi's compute-mfcc-feats without dither.

    The orthonormal DCT-II of the log mel energies, liftered by 1 + Q/2 · sin(π i / Q) with Q = `cepstral_lifter`
    (0: none). With `use_energy` the zeroth is the frame's log energy before pre-emphasis and window, not below
    log(`energy_floor`). Options shared with `Fbank` mean the same. Source: Kaldi, feat/feature-mfcc.cc.
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        num_ceps: int = 13,
        num_mels: int = 23,
        cepstral_lifter: float = 22.0,
        use_energy: bool = True,
        energy_floor: float = 0.0,
        window: Window = "povey",
        frame_length: float = 0.025,
        frame_shift: float = 0.010,
        low_freq: float = 20.0,
        high_freq: float = 0.0,
        preemphasis: float = 0.97,
        remove_dc: bool = True,
        snip_edges: bool = True,
        scale: float = 32768.0,
        cmn: bool = False,
    ) -> None:
        super().__init__()
        if num_ceps > num_mels:
            raise BadInput(f"{num_ceps} cepstra cannot be had from {num_mels} mel bands")
        self.fbank = Fbank(
            sample_rate=sample_rate,
            num_mels=num_mels,
            window=window,
            frame_length=frame_length,
            frame_shift=frame_shift,
            low_freq=low_freq,
            high_freq=high_freq,
            preemphasis=preemphasis,
            remove_dc=remove_dc,
            snip_edges=snip_edges,
            scale=scale,
        )
        self.dim, self.sample_rate, self.hop = num_ceps, sample_rate, self.fbank.hop
        self.use_energy, self.scale, self.cmn = use_energy, scale, cmn
        self.energy_floor = max(energy_floor, _FLOOR)
        self.cosines: Tensor
        self.register_buffer("cosines", _buffer(_liftered_dct(num_mels, num_ceps, cepstral_lifter)), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Cepstra of each frame; the wave as for `Fbank`."""
        cepstra = frames.project(self.fbank(wave), self.cosines)
        if self.use_energy:
            cepstra = torch.cat([self._log_energy(wave), cepstra[..., 1:]], dim=-1)
        return cepstra - cepstra.mean(1, keepdim=True) if self.cmn else cepstra

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return self.fbank.frames_of(samples)

    def _log_energy(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames 1"]:
        fbank = self.fbank
        cut = frames.cut(wave * self.scale, length=fbank.length, shift=self.hop, snip_edges=fbank.snip_edges)
        cut = frames.centre(cut) if fbank.remove_dc else cut
        return cut.square().sum(-1, keepdim=True).clamp_min(self.energy_floor).log()


class Spectrogram(nn.Module):
    """A short-time spectrum: |X|, |X|² or log |X|² of Hamming-windowed frames, without overlap-add padding.

    The defaults are the 257-bin front end of Hajibabaei & Dai 2018 (Unified Hypersphere Embedding for Speaker
    Recognition, arXiv:1807.08312): mean removed and pre-emphasis over the *whole* signal, magnitude, no logarithm.
    `n_fft` None is the least power of two that holds a frame. Lengths are in seconds.
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        n_fft: int | None = None,
        form: Literal["magnitude", "power", "log"] = "magnitude",
        window: Window = "hamming",
        frame_length: float = 0.025,
        frame_shift: float = 0.010,
        preemphasis: float = 0.97,
        remove_dc: bool = True,
    ) -> None:
        super().__init__()
        if form not in ("magnitude", "power", "log"):
            raise BadInput(f"no form {form!r} of a spectrogram; there are: magnitude, power, log")
        self.length = frames.samples_of(frame_length, sample_rate)
        self.hop = frames.samples_of(frame_shift, sample_rate)
        self.n_fft = frames.power_of_two(self.length) if n_fft is None else n_fft
        if self.n_fft < self.length:
            raise BadInput(f"n_fft={self.n_fft} is shorter than a frame of {self.length} samples")
        self.dim, self.sample_rate, self.form = self.n_fft // 2 + 1, sample_rate, form
        self.preemphasis, self.remove_dc = preemphasis, remove_dc
        self.window: Tensor
        self.register_buffer("window", _buffer(frames.window(window, self.length)), persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The spectrum of each frame; the wave is ±1 at `sample_rate`, at least one frame long (`BadInput`)."""
        if self.remove_dc:
            wave = wave - wave.mean(1, keepdim=True)
        if self.preemphasis:
            wave = torch.cat([wave[:, :1], torch.sub(wave[:, 1:], wave[:, :-1], alpha=self.preemphasis)], dim=1)
        cut = frames.cut(wave, length=self.length, shift=self.hop)
        power = frames.power(cut * self.window.to(wave.dtype), self.n_fft)
        if self.form == "power":
            return power
        # The square root has no slope at 0; its floor lies far below one 16-bit step (about 1e-9 in power).
        return power.clamp_min(1e-20).sqrt() if self.form == "magnitude" else power.clamp_min(1e-20).log()

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return frames.count(samples, length=self.length, shift=self.hop)


def _liftered_dct(num_mels: int, num_ceps: int, lifter: float) -> Float64[np.ndarray, "mels ceps"]:
    ceps = np.arange(num_ceps)
    angles = np.pi / num_mels * (np.arange(num_mels)[:, None] + 0.5) * ceps
    cosines = np.cos(angles) * np.where(ceps == 0, math.sqrt(1 / num_mels), math.sqrt(2 / num_mels))
    weights = 1 + lifter / 2 * np.sin(np.pi * ceps / lifter) if lifter else np.ones(num_ceps)
    matrix: Float64[np.ndarray, "mels ceps"] = cosines * weights
    return matrix


def _buffer(values: Float64[np.ndarray, "*shape"]) -> Float[Tensor, "*shape"]:
    return torch.from_numpy(np.ascontiguousarray(values)).to(torch.get_default_dtype())
