"""Makes speechbrain.npz: SpeechBrain 1.1.2's filter-bank features of a seeded wave, before and after its norm.

Run in an environment that has SpeechBrain (torch 2.13.0, CPU): python tests/goldens/audio/make_speechbrain.py

The wave fades to silence, so that the floor 80 dB below the loudest energy shows.
"""

import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "models"))

from seeded import vowel  # noqa: E402
from speechbrain.lobes.features import Fbank  # noqa: E402
from speechbrain.processing.features import InputNormalization  # noqa: E402


def main() -> None:
    """Write the file."""
    wave = vowel(1.0)
    wave = np.round(wave * np.linspace(1, 0, len(wave)) ** 6).astype(np.int16)
    told = torch.from_numpy(wave.astype(np.float32) / 32768)[None]
    arrays = {"wave": wave}
    asked = {
        "fbank_80": {"n_mels": 80},
        "fbank_24_from_100_to_7000": {"n_mels": 24, "f_min": 100, "f_max": 7000},
        "fbank_40_of_512": {"n_mels": 40, "n_fft": 512},
    }
    for name, options in asked.items():
        arrays[name] = Fbank(**options)(told)[0].numpy()
    norm = InputNormalization(norm_type="sentence", std_norm=False)
    arrays["fbank_80_normed"] = norm(Fbank(n_mels=80)(told), torch.ones(1))[0].numpy()
    np.savez_compressed(HERE / "speechbrain.npz", **arrays)
    print({name: (value.shape, float(value.min())) for name, value in arrays.items()})


if __name__ == "__main__":
    main()
