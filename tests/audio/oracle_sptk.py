"""SPTK's analyses by slow loops in float64: linear prediction, its cepstrum, and mel-cepstral analysis."""

import math

import numpy as np


def shaped_frames(wave: np.ndarray, length: int = 240, shift: int = 80) -> list[np.ndarray]:
    """16-bit samples around every `shift`-th one, under a Blackman window whose squares add up to 1."""
    window = [
        0.42 - 0.5 * math.cos(2 * math.pi * n / (length - 1)) + 0.08 * math.cos(4 * math.pi * n / (length - 1))
        for n in range(length)
    ]
    unit = math.sqrt(math.fsum(w * w for w in window))
    frames = []
    for middle in range(0, len(wave), shift):
        frame = []
        for n in range(length):
            at = middle - length // 2 + n
            frame.append(32768.0 * float(wave[at]) * window[n] / unit if 0 <= at < len(wave) else 0.0)
        frames.append(np.array(frame))
    return frames


def lpc(frame: np.ndarray, order: int) -> np.ndarray:
    """The normal equations, solved as any others: no recursion."""
    r = [math.fsum(frame[n] * frame[n + k] for n in range(len(frame) - k)) for k in range(order + 1)]
    matrix = np.array([[r[abs(i - j)] for j in range(order)] for i in range(order)])
    a = np.linalg.solve(matrix, -np.array(r[1:]))
    return np.array([math.sqrt(r[0] + math.fsum(a[k] * r[k + 1] for k in range(order))), *a])


def lpc2c(a: np.ndarray, num_ceps: int) -> np.ndarray:
    """The cepstrum of K / A(z), from its logarithm on a fine grid of frequencies: no recursion."""
    points = 1 << 16
    spectrum = a[0] / np.fft.fft(np.array([1.0, *a[1:]]), points)
    cepstrum = np.fft.ifft(np.log(np.abs(spectrum))).real
    return np.array([cepstrum[0], *(2 * cepstrum[1 : num_ceps + 1])])


def freqt(c: np.ndarray, order: int, alpha: float) -> np.ndarray:
    """The frequency transform of Oppenheim and Johnson, a coefficient at a time."""
    g = [0.0] * (order + 1)
    for value in c[::-1].tolist():
        d = g.copy()
        g[0] = value + alpha * d[0]
        for m in range(1, order + 1):
            g[m] = (1 - alpha**2) * d[0] + alpha * d[1] if m == 1 else d[m - 1] + alpha * (d[m] - g[m - 1])
    return np.array(g)


def frqtr(c: np.ndarray, order: int, alpha: float) -> np.ndarray:
    """The same for autocorrelations."""
    g = [0.0] * (order + 1)
    for value in c[::-1].tolist():
        d = g.copy()
        g[0] = value
        for m in range(1, order + 1):
            g[m] = d[m - 1] + alpha * (d[m] - g[m - 1])
    return np.array(g)


def mcep(frame: np.ndarray, order: int, alpha: float, floor: float, n_fft: int = 256, steps: int = 10) -> np.ndarray:
    """SPTK's mcep.c in its own steps, each from lags over half of the transform."""
    half = n_fft // 2
    periodogram = np.abs(np.fft.fft(frame, n_fft)) ** 2 + floor
    c = np.fft.ifft(np.log(periodogram)).real[: half + 1]
    c[0], c[half] = c[0] / 2, c[half] / 2
    mc = freqt(c, order, alpha)
    for _ in range(steps):
        lags = np.zeros(n_fft)
        lags[: half + 1] = freqt(mc, half, -alpha)
        ratio = periodogram / np.exp(2 * np.fft.fft(lags).real)
        r = frqtr(np.fft.ifft(ratio).real[: half + 1], 2 * order, alpha)
        matrix = np.array([[r[abs(i - j)] + r[i + j] for j in range(order + 1)] for i in range(order + 1)])
        mc = mc + np.linalg.solve(matrix, np.array([r[i] - (-alpha) ** i for i in range(order + 1)]))
    return mc
