"""Kaldi's features by slow loops in float64, straight from its definitions."""

import math

import numpy as np

EPSILON = float(np.finfo(np.float32).eps)


def mel(hertz: float) -> float:
    return 1127.0 * math.log(1.0 + hertz / 700.0)


def shaped_frames(wave: np.ndarray, window: str, rate: int = 16000, preemphasis: float = 0.97) -> list[np.ndarray]:
    length, shift = rate * 25 // 1000, rate // 100
    frames = []
    for first in range(0, len(wave) - length + 1, shift):
        frame = [float(x) * 32768.0 for x in wave[first : first + length]]
        mean = math.fsum(frame) / length
        frame = [x - mean for x in frame]
        emphasised = [frame[0] - preemphasis * frame[0]]
        emphasised += [frame[n] - preemphasis * frame[n - 1] for n in range(1, length)]
        shaped = []
        for n, x in enumerate(emphasised):
            hann = 0.5 - 0.5 * math.cos(2 * math.pi * n / (length - 1))
            hamming = 0.54 - 0.46 * math.cos(2 * math.pi * n / (length - 1))
            shaped.append(x * {"povey": hann**0.85, "hanning": hann, "hamming": hamming}[window])
        frames.append(np.array(shaped))
    return frames


def fbank(wave: np.ndarray, mels: int, window: str, rate: int = 16000, low: float = 20.0) -> np.ndarray:
    n_fft = 512 if rate == 16000 else 256
    bottom, top = mel(low), mel(rate / 2)
    step = (top - bottom) / (mels + 1)
    rows = []
    for frame in shaped_frames(wave, window, rate):
        power = np.abs(np.fft.rfft(np.pad(frame, (0, n_fft - len(frame))))) ** 2
        row = []
        for band in range(mels):
            left, middle, right = bottom + band * step, bottom + (band + 1) * step, bottom + (band + 2) * step
            energy = 0.0
            for index in range(n_fft // 2):
                at = mel(index * rate / n_fft)
                if left < at <= middle:
                    energy += power[index] * (at - left) / (middle - left)
                elif middle < at < right:
                    energy += power[index] * (right - at) / (right - middle)
            row.append(math.log(max(energy, EPSILON)))
        rows.append(row)
    return np.array(rows)


def mfcc(wave: np.ndarray, ceps: int, mels: int, lifter: float = 22.0) -> np.ndarray:
    rows = []
    for bands in fbank(wave, mels, "povey"):
        row = []
        for k in range(ceps):
            total = sum(bands[n] * math.cos(math.pi / mels * (n + 0.5) * k) for n in range(mels))
            row.append(
                total * math.sqrt((1 if k == 0 else 2) / mels) * (1 + lifter / 2 * math.sin(math.pi * k / lifter))
            )
        rows.append(row)
    return np.array(rows)
