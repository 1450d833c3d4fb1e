"""Make resnet_mfcc.npz, resnet_stats.npz, resnet_large.npz, resnet_small.npz and resnet_lstm.npz: multitask_asv's
outputs; lstm_end.npz and attention_lstm.npz: SpeakerVerifiaction-pytorch's.

References: joaomonteirof/multitask_asv at commit fcd32da and Wenhao-Yang/SpeakerVerifiaction-pytorch at commit e30cf98
(both MIT), torch 2.13.0, CPU:

    MULTITASK_ASV=…/multitask_asv SPEAKER_SYSTEMS=…/SpeakerVerifiaction-pytorch PYTHONPATH=src \\
        python tests/goldens/models/make_sequence.py

The references get our `seeded` weights under their own names, so each file holds only features and embeddings.
Stages have fewer blocks than published and embeddings 16 dimensions; the noise that the pooling adds in evaluation is
0, and so are the random states that the LSTMs begin with.
"""

import os
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

HERE = Path(__file__).parent
# The second project's packages import far more than its recurrent networks need.
sys.path[:0] = [
    os.environ["MULTITASK_ASV"],
    f"{os.environ['SPEAKER_SYSTEMS']}/Define_Model",
    str(HERE.parents[1] / "models"),
]

import LSTM as SPEAKER_SYSTEMS  # noqa: E402
import model as multitask_asv  # noqa: E402
from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402

from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402


def names(layers: tuple[int, ...], score: str) -> Rules:
    """Renaming rules; their blocks are numbered within the stage, ours through."""
    before = [sum(layers[:stage]) for stage in range(4)]
    return [
        (r"^conv1\.", "encoder.first."),
        (r"^bn1\.", "encoder.first_norm."),
        (r"^layer(\d)\.(\d+)\.", lambda m: f"encoder.blocks.{before[int(m[1]) - 1] + int(m[2])}."),
        (r"\.conv(\d)\.", lambda m: f".convs.{int(m[1]) - 1}."),
        (r"\.bn(\d)\.", lambda m: f".norms.{int(m[1]) - 1}."),
        (r"shortcut\.0\.", "shortcut."),
        (r"^lstm\.(.*)_l(\d)$", r"pooling.onward.\2.\1_l0"),
        (r"^lstm\.(.*)_l(\d)_reverse$", r"pooling.back.\2.\1_l0"),
        (r"^attention\.att_weights$", score),
        (r"^fc\.", "projection.layers.0."),
        (r"^lbn\.", "projection.layers.1."),
        (r"^fc_mu\.", "projection.layers.3."),
    ]


def recurrent() -> Rules:
    """Renaming rules of SpeakerVerifiaction-pytorch's LSTMs; the classifier and the states are not of the network."""
    return [
        (r"^(fc2\..*|h0|c0)$", ""),
        (r"^lstm_layer\.", "encoder.lstm."),
        (r"^attention_linear\.", "pooling.hidden."),
        (r"^attention_vector$", "pooling.score.weight"),
        (r"^fc1\.", "projection.layers."),
    ]


def set_weights(golden: str, reference: nn.Module, rules: Rules) -> None:
    """Give `reference` our weights; what has no name of ours becomes 0."""
    weights, state = seeded(REFERENCES[golden]()), reference.state_dict()
    ours_of = {name: renamed(name, rules) for name in state}
    assert sorted(filter(None, ours_of.values())) == sorted(weights)
    reference.load_state_dict(
        {
            name: weights[ours_of[name]].reshape(value.shape) if ours_of[name] else torch.zeros_like(value)
            for name, value in state.items()
        }
    )
    reference.eval()


def write(golden: str, features: Tensor, embedding: Tensor) -> None:
    """Keep both."""
    np.savez_compressed(HERE / f"{golden}.npz", features=features.numpy(), embedding=embedding.numpy())
    print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


def time_resnets() -> None:
    """Seeded cepstra [3, 80, 23 · channels] through multitask_asv's networks."""
    few = (1, 2, 1, 1)
    for golden, network, layers, channels, score in (
        ("resnet_mfcc", multitask_asv.ResNet_mfcc, few, 1, "pooling.score.weight"),
        ("resnet_stats", multitask_asv.ResNet_stats, few, 1, ""),
        ("resnet_large", multitask_asv.ResNet_large, (1, 1, 3, 1), 3, "pooling.score.weight"),
        ("resnet_small", multitask_asv.ResNet_small, (2, 2, 2, 2), 1, "pooling.score.weight"),
        ("resnet_lstm", multitask_asv.ResNet_lstm, few, 1, "pooling.attention.score.weight"),
    ):
        reference = network(n_z=16, layers=layers, delta=channels > 1)
        set_weights(golden, reference, names(layers, score))
        features = noise(3, 80, 23 * channels, seed=len(golden))
        with mock.patch("torch.randn", torch.zeros):
            write(golden, features, reference(features.transpose(1, 2).reshape(3, channels, 23, 80).contiguous()))


def lstms() -> None:
    """Seeded cepstra [3, 50, 40] through SpeakerVerifiaction-pytorch's networks."""
    for golden, network, options in (
        ("lstm_end", SPEAKER_SYSTEMS.LSTM_End, {}),
        ("attention_lstm", SPEAKER_SYSTEMS.AttentionLSTM, {"attention_dim": 8}),
    ):
        reference = network(40, 5, 3, embedding_size=16, hidden_shape=32, **options)
        set_weights(golden, reference, recurrent())
        features = noise(3, 50, 40, seed=len(golden))
        # It asks for a GPU by name in the midst of its forward pass.
        with mock.patch("torch.Tensor.cuda", lambda tensor: tensor):
            write(golden, features, reference(features)[1])


def main() -> None:
    """Write the seven files."""
    torch.set_num_threads(1)
    with torch.inference_mode():
        time_resnets()
        lstms()


if __name__ == "__main__":
    main()
