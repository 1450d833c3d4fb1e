"""Makes librosa.npz: Slaney's mel bank and mel power frames of a seeded synthetic signal by librosa 0.11.0.

In an environment of its own, CPU, Python 3.11:

    pip install librosa==0.11.0 numpy==2.4.6 scipy==1.17.1 numba==0.68.1 soxr==1.1.0 soundfile==0.14.0
    python tests/goldens/audio/make_librosa.py
"""

from pathlib import Path

import librosa
import numpy as np


def signal() -> np.ndarray:
    """2.7 s of a quiet gliding buzz in noise, int16 at 16 kHz."""
    time = np.arange(43200) / 16000
    phase = 2 * np.pi * np.cumsum(110 + 30 * np.sin(2 * np.pi * 0.8 * time)) / 16000
    buzz = sum(np.cos(k * phase) / k for k in range(1, 50))
    noise = np.random.default_rng(21).standard_normal(len(time))
    return np.round(150 * buzz * np.abs(np.sin(3 * time)) + 10 * noise).astype(np.int16)


def resemblyzer_mel(y: np.ndarray) -> np.ndarray:
    """The frames Resemblyzer 0.1.4 would embed, by its published steps."""
    level = 20 * np.log10(np.sqrt(np.mean(y.astype(np.float64) ** 2)))
    assert level < -30
    y = y * np.float32(10 ** ((-30 - level) / 20))
    # Windows of 160 frames, one every 77, as long as the wave covers three quarters of them; zeros fill the last.
    starts = [start for start in range(0, len(y), 77 * 160) if start == 0 or len(y) - start >= 0.75 * 160 * 160]
    stop = starts[-1] + 160 * 160
    y = np.pad(y, (0, max(0, stop - len(y))))
    mel = librosa.feature.melspectrogram(y=y, sr=16000, n_fft=400, hop_length=160, n_mels=40)
    return mel.T[: stop // 160]


if __name__ == "__main__":
    wave = signal()
    y = wave.astype(np.float32) / 32768
    np.savez_compressed(
        Path(__file__).with_name("librosa.npz"),
        wave=wave,
        bank=librosa.filters.mel(sr=16000, n_fft=400, n_mels=40),
        mel=resemblyzer_mel(y),
        mel_of_the_first_20000_samples=resemblyzer_mel(y[:20000]),
    )
