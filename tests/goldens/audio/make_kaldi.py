"""Makes kaldi.npz: fbank and MFCC features of a seeded synthetic signal by kaldi-native-fbank 1.22.5.

CPU, Python 3.11; these versions, which constraints.txt has too, give the file bit by bit:

    pip install kaldi-native-fbank==1.22.5 numpy==2.4.6
    python tests/goldens/audio/make_kaldi.py
"""

from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np


def signal() -> np.ndarray:
    """One second of a gliding voice-like buzz in noise with pauses, int16 at 16 kHz."""
    time = np.arange(16000) / 16000
    pitch = 120 + 40 * np.sin(2 * np.pi * 1.3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    buzz = sum(np.cos(k * phase) / k for k in range(1, 40))
    envelope = np.clip(np.sin(2 * np.pi * 2 * time), 0, None)
    noise = np.random.default_rng(20).standard_normal(16000)
    return np.round(3000 * envelope * buzz + 200 * noise + 50).astype(np.int16)


def fbank(wave: np.ndarray, mels: int, window: str, snip_edges: bool = True) -> np.ndarray:
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.window_type = window
    options.frame_opts.snip_edges = snip_edges
    options.mel_opts.num_bins = mels
    return _run(knf.OnlineFbank(options), wave)


def mfcc(wave: np.ndarray, ceps: int, mels: int, use_energy: bool) -> np.ndarray:
    options = knf.MfccOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = mels
    options.num_ceps = ceps
    options.use_energy = use_energy
    return _run(knf.OnlineMfcc(options), wave)


def _run(computer, wave: np.ndarray) -> np.ndarray:
    computer.accept_waveform(16000, wave.astype(np.float32).tolist())
    computer.input_finished()
    return np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])


if __name__ == "__main__":
    wave = signal()
    np.savez_compressed(
        Path(__file__).with_name("kaldi.npz"),
        wave=wave,
        fbank_80_povey=fbank(wave, 80, "povey"),
        fbank_72_povey=fbank(wave, 72, "povey"),
        fbank_40_hamming=fbank(wave, 40, "hamming"),
        fbank_40_hanning_mirrored=fbank(wave, 40, "hanning", snip_edges=False),
        mfcc_13_energy=mfcc(wave, 13, 23, use_energy=True),
        mfcc_30_plain=mfcc(wave, 30, 40, use_energy=False),
    )
