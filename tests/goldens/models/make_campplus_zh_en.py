"""Make campplus_zh_en.npz: a wave of 2 s, its features, and the embedding of 3D-Speaker's network with its weights.

References: kaldi-native-fbank 1.22.5 and 3D-Speaker at commit 09e7806 (both Apache-2.0), torch 2.13.0, CPU:

    THREED_SPEAKER=…/3D-Speaker python tests/goldens/models/make_campplus_zh_en.py campplus_cn_en_common.pt

The wave (int16, 16 kHz) is a vowel of wandering pitch in noise. As in 3D-Speaker's FBank(80, mean_nor=True) the
features are 80 log mel energies of the ±1 wave without dither, less their mean.
"""

import os
import sys
from pathlib import Path

import kaldi_native_fbank
import numpy as np
import torch

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["THREED_SPEAKER"], str(HERE.parents[1] / "models")]

from seeded import vowel  # noqa: E402
from speakerlab.models.campplus.DTDNN import CAMPPlus  # noqa: E402


def main() -> None:
    """Write the file."""
    wave = vowel(2.0)
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(16000, (wave / 32768).tolist())
    fbank.input_finished()
    features = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
    features -= features.mean(0)
    network = CAMPPlus(feat_dim=80, embedding_size=192).eval()
    network.load_state_dict(torch.load(sys.argv[1], weights_only=True))
    with torch.inference_mode():
        embedding = network(torch.from_numpy(features)[None])[0].numpy()
    np.savez_compressed(HERE / "campplus_zh_en.npz", wave=wave, features=features, embedding=embedding)


if __name__ == "__main__":
    main()
