"""Overlapping frames of a wave, as Kaldi cuts, centres, pre-emphasises and windows them."""

import math
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn.functional import pad

from voxsphere.core.errors import BadInput

Window = Literal["povey", "hamming", "hanning", "blackman"]


def window(name: Window, length: int) -> Float64[np.ndarray, " length"]:
    """A symmetric window. Povey's (Kaldi's default) is a Hann window to the power .85: like Hamming's, but zero at
    the ends.
    """
    cosine = np.cos(2 * np.pi * np.arange(length) / (length - 1))
    shapes: dict[str, Float64[np.ndarray, " length"]] = {
        "povey": (0.5 - 0.5 * cosine) ** 0.85,
        "hamming": 0.54 - 0.46 * cosine,
        "hanning": 0.5 - 0.5 * cosine,
        "blackman": 0.42 - 0.5 * cosine + 0.08 * np.cos(4 * np.pi * np.arange(length) / (length - 1)),
    }
    if name not in shapes:
        raise BadInput(f"no window named {name!r}; there are: {', '.join(shapes)}")
    return shapes[name]


def power_of_two(length: int) -> int:
    """The least power of two that is not below `length`."""
    return 1 << (length - 1).bit_length()


def widened(wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples"]:
    """The wave in float64, where the device knows it.

    Up to the power spectrum a band may lie 80 dB below its frame's loudest; float32's rounding would show there, in
    the second or third digit of the logarithm.
    """
    return wave if wave.device.type == "mps" else wave.double()


def cut(
    wave: Float[Tensor, "batch samples"], *, length: int, shift: int, snip_edges: bool = True
) -> Float[Tensor, "batch frames length"]:
    """Frames of `length` samples, one every `shift` samples, as a view of the wave where `snip_edges` holds.

    With `snip_edges` only whole frames are cut. Without, frames are centred on multiples of `shift` (plus half of
    one) and the wave is mirrored at both ends. Raises `BadInput` when the wave is too short for that.
    """
    long_enough(wave, length if snip_edges else length - length // 2)
    if not snip_edges:
        before = length // 2 - shift // 2
        after = length - shift + 2 * (shift // 2) - length // 2
        wave = torch.cat([wave[:, :before].flip(1), wave, wave[:, -after:].flip(1)], dim=1)
    return wave.unfold(1, length, shift)


def count(samples: int, *, length: int, shift: int, snip_edges: bool = True) -> int:
    """How many frames `cut` makes of so many samples; 0 where it would refuse."""
    if snip_edges:
        return max(0, 1 + (samples - length) // shift)
    return (samples + shift // 2) // shift if samples >= length - length // 2 else 0


def cut_centred(
    wave: Float[Tensor, "batch samples"], *, length: int, shift: int
) -> Float[Tensor, "batch frames length"]:
    """Frames around the samples 0, `shift`, 2 · `shift` …, with zeros beyond both ends of the wave (SPTK's `frame`).

    Sample n · `shift` is number `length` // 2 of frame n. Raises `BadInput` for a wave without a sample.
    """
    long_enough(wave, 1)
    return pad(wave, (length // 2, (length - 1) // 2)).unfold(1, length, shift)


def count_centred(samples: int, *, shift: int) -> int:
    """How many frames `cut_centred` makes of so many samples."""
    return 1 + (samples - 1) // shift if samples > 0 else 0


def centre(frames: Float[Tensor, "batch frames length"]) -> Float[Tensor, "batch frames length"]:
    """Each frame less its mean."""
    return frames - frames.mean(-1, keepdim=True)


def emphasise(frames: Float[Tensor, "batch frames length"], factor: float) -> Float[Tensor, "batch frames length"]:
    """y[n] = x[n] - factor · x[n-1] within each frame; the first sample stands in for its missing predecessor."""
    if factor == 0:
        return frames
    later = torch.sub(frames[..., 1:], frames[..., :-1], alpha=factor)
    return torch.cat([frames[..., :1] * (1 - factor), later], dim=-1)


def emphasise_wave(wave: Float[Tensor, "batch samples"], factor: float) -> Float[Tensor, "batch samples"]:
    """y[n] = x[n] - factor · x[n-1] along the whole wave, which is mirrored before its first sample."""
    before = torch.cat([wave[:, 1:2], wave[:, :-1]], dim=1)
    return torch.sub(wave, before, alpha=factor)


def power(frames: Float[Tensor, "batch frames length"], n_fft: int) -> Float[Tensor, "batch frames bins"]:
    """The power spectrum |X|² of windowed frames, zero-padded to `n_fft` samples."""
    spectrum: Tensor = torch.fft.rfft(frames, n=n_fft)
    return spectrum.real.square() + spectrum.imag.square()


def project(
    x: Float[Tensor, "batch frames wide"], matrix: Float[Tensor, "wide dim"]
) -> Float[Tensor, "batch frames dim"]:
    """x · matrix in x's own precision: autocast would round the energies to eight bits and shift every feature."""
    matrix = matrix.to(x.dtype)
    if x.is_meta or not torch.is_autocast_enabled(x.device.type):  # shapes alone have no precision
        return x @ matrix
    with torch.autocast(x.device.type, enabled=False):
        return x @ matrix


def samples_of(seconds: float, sample_rate: int, *, nearest: bool = False) -> int:
    """Seconds in whole samples: the `nearest`, or cut off as Kaldi does, rounding errors below a whole mended first.

    Raises `BadInput` where that is not even one.
    """
    samples = round(seconds * sample_rate) if nearest else math.floor(seconds * sample_rate + 1e-6)
    if samples < 1:
        raise BadInput(f"{seconds} s at a sampling rate of {sample_rate} Hz hold no sample; give more")
    return samples


def long_enough(wave: Float[Tensor, "batch samples"], least: int) -> None:
    """Raise `BadInput` where the wave has fewer samples than a frame needs."""
    # A traced or exported graph has no length to ask about; it fails in `unfold` instead.
    if torch.jit.is_tracing() or torch.compiler.is_compiling():  # type: ignore[attr-defined, no-untyped-call]
        return
    if wave.shape[1] < least:
        raise BadInput(f"a wave of {wave.shape[1]} samples is shorter than one frame ({least} samples); give more")
