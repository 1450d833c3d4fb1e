"""Make rescnn10.npz and its like: outputs of SpeakerVerifiaction-pytorch's two-dimensional networks.

Reference: Wenhao-Yang/SpeakerVerifiaction-pytorch at commit e30cf98e (MIT), torch 2.13.0, CPU:

    SPEAKER_SYSTEMS=…/SpeakerVerifiaction-pytorch PYTHONPATH=src:. python tests/goldens/models/make_convolutional.py

The reference gets our `seeded` weights under its own names, so each file holds only features and embeddings. Its
ResCNN is fed images of [bands, frames], as its parent project did; the other networks images of [frames, bands], so
their kernels are ours with the axes swapped. What the project imports and these networks do not use is left out, and
the names that its CNN.py forgets to import are put there.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from studies.references import speaker_verification_images
from torch import Tensor, nn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "models")]

from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402

from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402

CNN, ResNet = speaker_verification_images(os.environ["SPEAKER_SYSTEMS"])

_HEAD = (r"^(classifier|fc2|angle_linear)\..*", "")
_CHAIN: Rules = [(r"\.(conv|bn)(\d)\.", lambda m: f".layers.{int(m[2]) - 1}.{_KIND[m[1]]}.")]
_ORDINAL = {"1": "first", "2": "second"}
_KIND = {"conv": "conv", "bn": "norm"}
RESCNN: Rules = [
    _HEAD,
    (r"^(conv|bn)(\d)\.", lambda m: f"encoder.entries.{int(m[2]) - 1}.{_KIND[m[1]]}."),
    (r"^layer(\d)\.", lambda m: f"encoder.stages.{int(m[1]) - 1}."),
    *_CHAIN,
    (r"^fc\.0\.", "projection.linear."),
    (r"^fc\.1\.", "projection.norm."),
]


def resnet(*blocks: int) -> Rules:
    """Rules for a network whose blocks are numbered within the stage, ours through."""
    before = [sum(blocks[:stage]) for stage in range(len(blocks))]
    return [
        _HEAD,
        (r"^(conv|bn)1\.", lambda m: f"encoder.first.{_KIND[m[1]]}."),
        (r"^layer(\d)\.(\d+)\.", lambda m: f"encoder.blocks.{before[int(m[1]) - 1] + int(m[2])}."),
        (r"\.(conv|bn)(\d)\.", lambda m: f".{_ORDINAL[m[2]]}.{_KIND[m[1]]}."),
        (r"downsample\.0\.", "shortcut.conv."),
        (r"downsample\.1\.", "shortcut.norm."),
        (r"^fc1\.0\.", "projection.linear."),
        (r"^fc1\.1\.", "projection.norm."),
        (r"^fc1\.", "projection.linear."),
    ]


def thin(*blocks: int, attended: bool = False, averaged: bool = False) -> Rules:
    """Rules for a thin network: a block's layers are numbered, and what attends to the last one follows in it."""
    last = ".layers.1.0" if attended else ".layers.1"
    shortcut = "shortcut.1" if averaged else "shortcut"
    begin, end = resnet(*blocks)[:3], resnet(*blocks)[-3:]
    return [
        *begin,
        (r"\.conv2\.(conv|bn)s\.(\d)\.", lambda m: f"{last}.groups.{m[2]}.{_KIND[m[1]]}."),
        (r"\.(conv|bn)2\.", lambda m: f"{last}.{_KIND[m[1]]}."),
        (r"\.(conv|bn)([13])\.", lambda m: f".layers.{int(m[2]) - 1}.{_KIND[m[1]]}."),
        (r"\.se_layer\.fc1", ".layers.1.1.factors.0"),
        (r"\.se_layer\.fc2", ".layers.1.1.factors.2"),
        (r"downsample\.(\d)", lambda m: f"{shortcut}.{('conv', 'norm')[int(m[1]) - averaged]}"),
        *end,
    ]


def thin_resnet(depth: int, *, block: str = "None", stem: str = "None", shortcut: str = "None") -> nn.Module:
    """The reference's thin network, whose frames are averaged and not, as by default, mixed with their channels."""
    return ResNet.ThinResNet(
        depth, 1, input_dim=33, embedding_size=32, encoder_type="", block_type=block, fast=stem, downsample=shortcut
    )


def resnet20() -> Rules:
    """Rules for ResNet-20 with batch norm, whose blocks of three and of two layers lie in layers of their own."""
    first = {"1": 0, "2": 1, "3": 2, "4": 3, "5": 4, "6": 7}
    return [
        _HEAD,
        (r"^layer(\d)\.(\d)\.", lambda m: f"encoder.blocks.{first[m[1]] + int(m[2])}."),
        (r"blocks\.([0137])\.(conv|bn)(\d)\.", lambda m: f"blocks.{m[1]}.layers.{int(m[3]) - 1}.{_KIND[m[2]]}."),
        *resnet(1)[3:],
    ]


def write(
    golden: str, reference: nn.Module, rules: Rules, features: Tensor, run: Callable[[nn.Module, Tensor], Tensor]
) -> None:
    """Give `reference` our weights, let `run` ask it for embeddings of the features, and keep both."""
    weights = seeded(REFERENCES[golden]().eval())
    ours_of = {name: renamed(name, rules) for name in reference.state_dict()}
    ours_of = {name: ours for name, ours in ours_of.items() if ours}
    assert sorted(ours_of.values()) == sorted(weights), set(ours_of.values()) ^ set(weights)
    shapes = {name: value.shape for name, value in reference.state_dict().items()}
    given = {name: weights[ours] for name, ours in ours_of.items()}
    if run is turned:
        given = {name: value.mT if value.ndim == 4 else value for name, value in given.items()}
    missing = reference.load_state_dict({name: value.reshape(shapes[name]) for name, value in given.items()}, False)
    assert not missing.unexpected_keys
    with torch.inference_mode():
        embedding = run(reference.eval(), features.clone())
    arrays = {"features": features.numpy(), "embedding": embedding.numpy(), "names": np.array(list(ours_of))}
    np.savez_compressed(HERE / f"{golden}.npz", **arrays)
    print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


def upright(reference: nn.Module, features: Tensor) -> Tensor:
    """The embeddings from images of [bands, frames]."""
    return reference(features.mT[:, None])[1]


def turned(reference: nn.Module, features: Tensor) -> Tensor:
    """The embeddings from images of [frames, bands]."""
    return reference(features[:, None])[1]


def main() -> None:
    """Write the files."""
    torch.set_num_threads(1)
    rescnn = CNN.ResCNNSpeaker(10, embedding_size=32, num_classes=1)
    # Loud enough for the ReLU to be cut off.
    write("rescnn10", rescnn, RESCNN, 60 * noise(2, 51, 72, seed=10), upright)
    # So quiet that no block's ReLU is cut off, as it is there and not in ours.
    superficial = CNN.SuperficialResCNN(32, n_classes=1)
    write("rescnn_superficial", superficial, RESCNN, 0.5 * noise(2, 51, 72, seed=3), upright)
    loresnet = ResNet.LocalResNet(32, 1, resnet_size=8, channels=[16, 32, 64])
    write("loresnet8", loresnet, RESCNN, noise(2, 51, 41, seed=8), turned)
    image = ResNet.ResNet(18, embedding_size=32, channels=[8, 16, 32, 64], num_classes=1)
    write("image_resnet18", image, resnet(2, 2, 2, 2), noise(2, 71, 135, seed=18), turned)
    simple = ResNet.SimpleResNet(embedding_size=32, num_classes=1)
    write("siresnet34", simple, resnet(3, 4, 6, 3), noise(2, 35, 24, seed=34), turned)
    write("normed_resnet20", ResNet.ResNet20(1, 32), resnet20(), noise(2, 20, 257, seed=20), turned)
    ones, twos, many = (1, 1, 1, 1), (2, 2, 2, 2), (3, 4, 6, 3)
    frames = noise(2, 35, 33, seed=35)
    averaged = thin_resnet(18, stem="mxp", shortcut="k1avg")
    write("thin_resnet18", averaged, thin(*twos, averaged=True), frames, turned)
    write("thin_resnet50", thin_resnet(50), thin(*many), frames, turned)
    squeezed = thin_resnet(10, block="seblock", stem="avp", shortcut="k3")
    write("thin_resnet_se", squeezed, thin(*ones, attended=True), frames, turned)
    grouped = thin_resnet(10, block="se2block", stem="av1p", shortcut="k5")
    write("thin_resnet_se_res2", grouped, thin(*ones, attended=True), frames, turned)


if __name__ == "__main__":
    main()
