"""Mel filter banks: triangles over FFT bins, in Kaldi's form and in Slaney's."""

import numpy as np
from jaxtyping import Float64

from voxsphere.core.errors import BadInput


def kaldi_bank(
    *, sample_rate: int, n_fft: int, num_mels: int, low_freq: float, high_freq: float
) -> Float64[np.ndarray, "bins mels"]:
    """Kaldi's bank: triangles of height 1 that are straight lines *on the mel scale*, 1127 ln(1 + f / 700).

    `low_freq` and `high_freq` are in Hz; a `high_freq` of zero or less counts down from half the sampling rate. The
    Nyquist bin carries no weight. Raises `BadInput` when the edges are out of order or outside the spectrum.
    Source: Kaldi, feat/mel-computations.cc.
    """
    edges = kaldi_edges(sample_rate=sample_rate, num_mels=num_mels, low_freq=low_freq, high_freq=high_freq)
    bins = kaldi_bins(sample_rate=sample_rate, n_fft=n_fft)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank: Float64[np.ndarray, "bins mels"] = np.minimum(rising, falling).clip(min=0)
    bank[-1] = 0
    return bank


def kaldi_edges(
    *, sample_rate: int, num_mels: int, low_freq: float, high_freq: float
) -> Float64[np.ndarray, " mels+2"]:
    """Where the triangles of Kaldi's bank begin, peak and end, in mel: each ends where the next but one begins."""
    nyquist = sample_rate / 2
    top = high_freq if high_freq > 0 else nyquist + high_freq
    if not 0 <= low_freq < top <= nyquist:
        raise BadInput(f"a mel bank from {low_freq} to {top} Hz does not fit a sampling rate of {sample_rate}")
    return np.linspace(_kaldi_mel(np.array(low_freq)), _kaldi_mel(np.array(top)), num_mels + 2)


def kaldi_bins(*, sample_rate: int, n_fft: int) -> Float64[np.ndarray, " bins"]:
    """The bins of a Fourier transform on Kaldi's mel scale."""
    return _kaldi_mel(np.arange(n_fft // 2 + 1) * sample_rate / n_fft)


def htk_bank(
    *, sample_rate: int, n_fft: int, num_mels: int, low_freq: float, high_freq: float
) -> Float64[np.ndarray, "bins mels"]:
    """HTK's mel scale under triangles of height 1 that are straight *in Hz*, as torchaudio's default is.

    The edges lie evenly on the mel scale 2595 log10(1 + f / 700), which is Kaldi's but for a factor. Frequencies are
    in Hz. Source: torchaudio, functional/functional.py, melscale_fbanks.
    """
    edges = 700 * np.expm1(np.linspace(np.log1p(low_freq / 700), np.log1p(high_freq / 700), num_mels + 2))
    bins = (np.arange(n_fft // 2 + 1) * sample_rate / n_fft)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank: Float64[np.ndarray, "bins mels"] = np.minimum(rising, falling).clip(min=0)
    return bank


def slaney_bank(*, sample_rate: int, n_fft: int, num_mels: int) -> Float64[np.ndarray, "bins mels"]:
    """Slaney's bank from 0 Hz to half the sampling rate: triangles straight *in Hz*, each of area 1.

    Source: Slaney 1998, Auditory Toolbox (Interval technical report 1998-010); librosa's default.
    """
    edges = _slaney_hertz(np.linspace(0.0, _slaney_mel(sample_rate / 2), num_mels + 2))
    bins = (np.arange(n_fft // 2 + 1) * sample_rate / n_fft)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank: Float64[np.ndarray, "bins mels"] = np.minimum(rising, falling).clip(min=0) * 2 / (edges[2:] - edges[:-2])
    return bank


def _kaldi_mel(hertz: Float64[np.ndarray, " *shape"]) -> Float64[np.ndarray, " *shape"]:
    mel: Float64[np.ndarray, " *shape"] = 1127 * np.log1p(hertz / 700)
    return mel


# Slaney's scale is linear (3 mel in 200 Hz) up to 1000 Hz and logarithmic (27 mel in a factor 6.4) above.
_BREAK_HERTZ, _BREAK_MEL, _STEP = 1000.0, 15.0, np.log(6.4) / 27


def _slaney_mel(hertz: float) -> float:
    if hertz < _BREAK_HERTZ:
        return hertz * 3 / 200
    return float(_BREAK_MEL + np.log(hertz / _BREAK_HERTZ) / _STEP)


def _slaney_hertz(mel: Float64[np.ndarray, " edges"]) -> Float64[np.ndarray, " edges"]:
    above = np.maximum(mel - _BREAK_MEL, 0)
    return np.where(mel < _BREAK_MEL, mel * 200 / 3, _BREAK_HERTZ * np.exp(_STEP * above))
