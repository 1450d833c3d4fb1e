"""Make ge2e_resemblyzer.npz: waves of 1.0, 2.0 and 3.3 s, and Resemblyzer's embeddings of them.

Reference: resemblyzer 0.1.4 (Apache-2.0) with its own weights, librosa 0.11.0, scipy 1.17.1, torch 2.13.0, CPU, in an
environment of its own (pip install torch librosa webrtcvad-wheels; pip install --no-deps resemblyzer==0.1.4):

    python tests/goldens/models/make_ge2e_resemblyzer.py

The waves (int16, 16 kHz) are the beginnings of one vowel of wandering pitch in noise. Each is brought to the level that
preprocess_wav brings it to, without its trimming of pauses, and given to VoiceEncoder.embed_utterance; `windows` are
the embeddings of the last one's sliding windows.
"""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import scipy.ndimage

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "models"))
# The module that Resemblyzer imports binary_dilation from is gone from today's scipy.
sys.modules["scipy.ndimage.morphology"] = ModuleType("morphology")
sys.modules["scipy.ndimage.morphology"].binary_dilation = scipy.ndimage.binary_dilation

from resemblyzer import VoiceEncoder  # noqa: E402
from resemblyzer.audio import normalize_volume  # noqa: E402
from seeded import vowel  # noqa: E402


def main() -> None:
    """Write the file."""
    encoder = VoiceEncoder("cpu", verbose=False)
    wave = vowel(3.3)
    seconds = (1.0, 2.0, 3.3)
    level = [normalize_volume((wave[: round(16000 * s)] / 32768).astype(np.float32), -30, True) for s in seconds]
    embeddings = np.stack([encoder.embed_utterance(one) for one in level])
    windows = encoder.embed_utterance(level[-1], return_partials=True)[1]
    np.savez_compressed(
        HERE / "ge2e_resemblyzer.npz", wave=wave, seconds=seconds, embeddings=embeddings, windows=windows
    )


if __name__ == "__main__":
    main()
