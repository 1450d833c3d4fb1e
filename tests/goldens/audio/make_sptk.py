"""Writes sptk.npz: frames of kaldi.npz's speech at 8 kHz, and SPTK's analyses of them.

Needs pysptk 1.0.1, which wraps SPTK 3's C code (pip install --no-build-isolation pysptk, after cython and numpy), in an
environment of its own.
"""

from pathlib import Path

import numpy as np
import pysptk

here = Path(__file__).parent
samples = np.load(here / "kaldi.npz")["wave"].astype(np.float64)[::2]
window = pysptk.blackman(240) / np.sqrt(np.square(pysptk.blackman(240)).sum())
padded = np.pad(samples, (120, 119))
frames = np.stack([padded[n : n + 240] * window for n in range(0, len(samples), 80)])
lpc = np.stack([pysptk.lpc(frame, 12, min_det=1e-12) for frame in frames])
wide = np.pad(frames, ((0, 0), (0, 16)))  # SPTK transforms as many samples as it is given


def mcep(order: int, alpha: float) -> np.ndarray:
    options = {"miniter": 2, "maxiter": 100, "threshold": 1e-12, "etype": 1, "eps": 1e-8, "min_det": 0.0}
    return np.stack([pysptk.mcep(frame, order, alpha, **options) for frame in wide])


np.savez_compressed(
    here / "sptk.npz",
    lpc_12=lpc.astype(np.float32),
    lpcc_12_16=np.stack([pysptk.lpc2c(a, 16) for a in lpc]).astype(np.float32),
    mcep_20_31=mcep(20, 0.31).astype(np.float32),
    mcep_12_42=mcep(12, 0.42).astype(np.float32),
)
