"""Band-pass filters on the wave whose cut-off frequencies are learnt (SincNet)."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.audio import frames
from voxsphere.core.errors import BadInput


class SincFilters(nn.Module):
    """Log energies of the wave behind band-pass filters of learnt cut-offs f1 and f2.

    Ravanelli & Bengio 2018, Speaker recognition from raw waveform with SincNet, arXiv:1808.00158: the filters are
    g[n] = 2 f2 sinc(2π f2 n) - 2 f1 sinc(2π f1 n) (eq. 4, f in cycles a sample) under a Hamming window over `length`
    samples (eq. 7 and 8). f1 = `min_low` + |low| and f2 = f1 + `min_band` + |band|, at most half the sampling rate
    (eq. 5 and 6 with the least values of the authors' code); low and band, learnt in kHz, begin at `num_filters`
    equal bands on the mel scale 2595 log10(1 + f / 700), from 30 Hz.

    Where SincNet goes on with pooling over a few samples and further convolutions, this takes each filter's mean power
    in a frame of `frame_length` seconds every `frame_shift` and its logarithm, not below `floor`, so that it can stand
    where a filter bank stands. A filter's gain in its band is 1, as in eq. 4 (the authors' code divides by
    2 (f2 - f1)). `stride` samples apart the power is measured: n makes it n times faster.
    """

    input = "wave"

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        num_filters: int = 80,
        length: int = 251,
        frame_length: float = 0.025,
        frame_shift: float = 0.010,
        stride: int = 1,
        min_low: float = 50.0,
        min_band: float = 50.0,
        floor: float = 1e-12,
    ) -> None:
        super().__init__()
        if length % 2 == 0:
            raise BadInput(f"filters of {length} samples have no middle; take an odd length")
        self.sample_rate, self.dim, self.stride, self.floor = sample_rate, num_filters, stride, floor
        self.min_low, self.min_band = min_low, min_band
        self.length = frames.samples_of(frame_length, sample_rate)
        self.hop = frames.samples_of(frame_shift, sample_rate)
        if stride < 1 or self.length % stride or self.hop % stride:
            raise BadInput(f"stride {stride} does not divide frames of {self.length} samples every {self.hop}")
        highest = 2595 * math.log10(1 + (sample_rate / 2 - min_low - min_band) / 700)
        mel = np.linspace(2595 * math.log10(1 + 30 / 700), highest, num_filters + 1)
        edges = 0.7 * (10 ** (mel / 2595) - 1)
        self.low = nn.Parameter(torch.from_numpy(edges[:-1]).to(torch.get_default_dtype()))
        self.band = nn.Parameter(torch.from_numpy(np.diff(edges)).to(torch.get_default_dtype()))
        self.window: Tensor
        window = torch.from_numpy(frames.window("hamming", length)).to(torch.get_default_dtype())
        self.register_buffer("window", window, persistent=False)

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """Natural logarithms of the mean powers in each frame; the wave is ±1 at `sample_rate`, at least one frame
        long (`BadInput`). Beyond its ends it counts as zero.
        """
        frames.long_enough(wave, self.length)
        filters, side = self.filters().to(wave.dtype), self.window.shape[0] // 2
        # Autocast would round the wave to eight bits.
        with torch.autocast(wave.device.type, enabled=False):
            # As many outputs as whole strides, so that every stride makes the same number of frames.
            padded = functional.pad(wave, (side, side + 1 - self.stride))
            passed = functional.conv1d(padded[:, None], filters[:, None], stride=self.stride)
            means = functional.avg_pool1d(passed.square(), self.length // self.stride, self.hop // self.stride)
        return means.clamp_min(self.floor).log().transpose(1, 2)

    def cutoffs(self) -> tuple[Float[Tensor, " filters"], Float[Tensor, " filters"]]:
        """f1 and f2 in Hz, as they stand."""
        low = self.min_low + 1000 * self.low.abs()
        return low, (low + self.min_band + 1000 * self.band.abs()).clamp_max(self.sample_rate / 2)

    def filters(self) -> Float[Tensor, "filters length"]:
        """The impulse responses, as they stand."""
        low, high = (cutoff[:, None] / self.sample_rate for cutoff in self.cutoffs())
        at = torch.arange(len(self.window), device=self.window.device, dtype=low.dtype) - len(self.window) // 2
        # torch's sinc(x) is sin(πx) / πx.
        return (2 * high * torch.sinc(2 * high * at) - 2 * low * torch.sinc(2 * low * at)) * self.window

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return frames.count(samples, length=self.length, shift=self.hop)
