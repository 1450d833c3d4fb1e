"""Make campplus.npz, ecapa_tdnn.npz, ecapa_tdnn_context.npz, resnet34.npz, resnet50.npz: reference networks' outputs.

References: 3D-Speaker at commit 09e7806 and WeSpeaker at commit dfa7419 (both Apache-2.0), torch 2.13.0, CPU:

    THREED_SPEAKER=…/3D-Speaker WESPEAKER=…/wespeaker PYTHONPATH=src:. python tests/goldens/models/make_references.py

The reference gets our `seeded` weights under its own names, so each file holds only features and embeddings.
WeSpeaker's networks run at a quarter of their width, and their embeddings have 32 dimensions.
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch
from studies.references import import_wespeaker
from torch import nn

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["THREED_SPEAKER"], str(HERE.parents[1] / "models")]
import_wespeaker(os.environ["WESPEAKER"])

from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402
from speakerlab.models.campplus.DTDNN import CAMPPlus  # noqa: E402
from wespeaker.models.ecapa_tdnn import ECAPA_TDNN  # noqa: E402
from wespeaker.models.resnet import BasicBlock, Bottleneck, ResNet  # noqa: E402

from voxsphere.pretrained.foreign.renaming import renamed  # noqa: E402
from voxsphere.pretrained.foreign.three_d_speaker import campplus as campplus_names  # noqa: E402
from voxsphere.pretrained.foreign.wespeaker import ecapa_tdnn, resnet  # noqa: E402


def write(golden: str, reference: nn.Module, ours_of: dict[str, str], *, shape: tuple[int, int, int]) -> None:
    """Give `reference` our weights, run it on seeded features, and keep both, and the names of its weights."""
    weights = seeded(REFERENCES[golden]().eval())
    assert sorted(ours_of.values()) == sorted(weights)
    shapes = {name: value.shape for name, value in reference.state_dict().items()}
    reference.load_state_dict({name: weights[ours].reshape(shapes[name]) for name, ours in ours_of.items()})
    features = noise(*shape, seed=len(golden))
    with torch.inference_mode():
        out = reference.eval()(features.clone())
    embedding = out[-1] if isinstance(out, tuple) else out
    arrays = {"features": features.numpy(), "embedding": embedding.numpy(), "names": np.array(list(ours_of))}
    np.savez_compressed(HERE / f"{golden}.npz", **arrays)
    print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


def main() -> None:
    """Write the five files."""
    torch.set_num_threads(1)
    campplus = CAMPPlus(feat_dim=80, embedding_size=192)
    ours_of = {name: renamed(name, campplus_names()) for name in campplus.state_dict()}
    write("campplus", campplus, ours_of, shape=(1, 430, 80))  # at half the rate: two whole segments and a part
    for golden, context in (("ecapa_tdnn", False), ("ecapa_tdnn_context", True)):
        ecapa = ECAPA_TDNN(channels=128, feat_dim=80, embed_dim=32, global_context_att=context, emb_bn=True)
        ours_of = {name: renamed(name, ecapa_tdnn()) for name in ecapa.state_dict()}
        write(golden, ecapa, ours_of, shape=(2, 130, 80))
    for golden, block in (("resnet34", BasicBlock), ("resnet50", Bottleneck)):
        network = ResNet(block, [3, 4, 6, 3], m_channels=8, feat_dim=80, embed_dim=32)
        ours_of = {name: renamed(name, resnet((3, 4, 6, 3))) for name in network.state_dict()}
        write(golden, network, ours_of, shape=(2, 130, 80))


if __name__ == "__main__":
    main()
