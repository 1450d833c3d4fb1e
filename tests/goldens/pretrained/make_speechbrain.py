"""Make speechbrain_*.npz: SpeechBrain's networks with seeded weights, and what its own modules embed with them.

Reference: SpeechBrain 1.1.2 (Apache-2.0) in an environment of its own, torch 2.13.0, CPU:

    python tests/goldens/pretrained/make_speechbrain.py

The hyperparams.yaml has the form of the public models spkrec-ecapa-voxceleb and spkrec-xvect-voxceleb, and is read by
SpeechBrain's own reader. The x-vector's pooling adds random noise of at most 9e-5 to each mean, and 1e-5 to each
deviation, in use too; it is switched off here, since no two of its own embeddings are equal with it.
"""

import sys
from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "models"), str(HERE.parents[1] / "pretrained")]

from replica import keep, settle, wave  # noqa: E402

FRAME = """\
n_mels: {mels}
pretrained_path: speechbrain/{name}
out_n_neurons: 7205

compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <n_mels>

mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False

{network}
mean_var_norm_emb: !new:speechbrain.processing.features.InputNormalization
    norm_type: global
    std_norm: False

modules:
    compute_features: !ref <compute_features>
    mean_var_norm: !ref <mean_var_norm>
    embedding_model: !ref <embedding_model>
    mean_var_norm_emb: !ref <mean_var_norm_emb>

label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder
"""
XVECTOR = """\
embedding_model: !new:speechbrain.lobes.models.Xvector.Xvector
    in_channels: !ref <n_mels>
    activation: !name:torch.nn.LeakyReLU
    tdnn_blocks: 5
    tdnn_channels: [64, 64, 64, 64, 96]
    tdnn_kernel_sizes: [5, 3, 3, 1, 1]
    tdnn_dilations: [1, 2, 3, 1, 1]
    lin_neurons: 48
"""
ECAPA = """\
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: !ref <n_mels>
    channels: [64, 64, 64, 64, 96]
    kernel_sizes: [5, 3, 3, 3, 1]
    dilations: [1, 2, 3, 4, 1]
    attention_channels: 32
    lin_neurons: 48
"""


def main() -> None:
    """Write the files."""
    torch.set_num_threads(1)
    for name, mels, network in (("xvector", 24, XVECTOR), ("ecapa", 80, ECAPA)):
        text = FRAME.format(name=name, mels=mels, network=network)
        parts = load_hyperpyyaml(text)["modules"]
        reference = settle(parts["embedding_model"])
        if name == "xvector":
            reference.blocks[15].eps = 0.0
        lengths = torch.ones(1)
        with torch.inference_mode():
            features = parts["mean_var_norm"](parts["compute_features"](wave()), lengths)
            embedding = reference(features, lengths)
        keep(HERE / f"speechbrain_{name}.npz", reference, {"hyperparams.yaml": text}, features, embedding)


if __name__ == "__main__":
    main()
