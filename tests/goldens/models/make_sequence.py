"""Make resnet_mfcc.npz, resnet_stats.npz, resnet_large.npz, resnet_small.npz, resnet_lstm.npz: multitask_asv's outputs.

Reference: joaomonteirof/multitask_asv at commit fcd32da (MIT), torch 2.13.0, CPU:

    MULTITASK_ASV=…/multitask_asv PYTHONPATH=src python tests/goldens/models/make_sequence.py

The reference gets our `seeded` weights under its own names, so each file holds only features and embeddings. Stages
have fewer blocks than published and embeddings 16 dimensions; the noise that the pooling adds in evaluation is 0.
"""

import os
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["MULTITASK_ASV"], str(HERE.parents[1] / "models")]

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


def write(golden: str, reference: nn.Module, rules: Rules) -> None:
    """Give `reference` our weights, run it on seeded cepstra [3, 23 · channels, 80], and keep what it makes of them."""
    weights = seeded(REFERENCES[golden]())
    ours_of = {name: renamed(name, rules) for name in reference.state_dict()}
    assert sorted(ours_of.values()) == sorted(weights)
    shapes = {name: value.shape for name, value in reference.state_dict().items()}
    reference.load_state_dict({name: weights[ours].reshape(shapes[name]) for name, ours in ours_of.items()})
    channels = reference.conv1.in_channels
    features = noise(3, 80, 23 * channels, seed=len(golden))
    with torch.inference_mode(), mock.patch("torch.randn", torch.zeros):
        embedding = reference.eval()(features.transpose(1, 2).reshape(3, channels, 23, 80).contiguous())
    np.savez_compressed(HERE / f"{golden}.npz", features=features.numpy(), embedding=embedding.numpy())
    print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


def main() -> None:
    """Write the five files."""
    torch.set_num_threads(1)
    few = (1, 2, 1, 1)
    for golden, network, layers, delta, score in (
        ("resnet_mfcc", multitask_asv.ResNet_mfcc, few, False, "pooling.score.weight"),
        ("resnet_stats", multitask_asv.ResNet_stats, few, False, ""),
        ("resnet_large", multitask_asv.ResNet_large, (1, 1, 3, 1), True, "pooling.score.weight"),
        ("resnet_small", multitask_asv.ResNet_small, (2, 2, 2, 2), False, "pooling.score.weight"),
        ("resnet_lstm", multitask_asv.ResNet_lstm, few, False, "pooling.attention.score.weight"),
    ):
        write(golden, network(n_z=16, layers=layers, delta=delta), names(layers, score))


if __name__ == "__main__":
    main()
