"""Make the goldens of residual networks that `golden` below names: the outputs of their reference implementations.

References: 3D-Speaker at commit 09e7806 and WeSpeaker at commit dfa7419 (both Apache-2.0), torch 2.13.0, CPU:

    THREED_SPEAKER=…/3D-Speaker WESPEAKER=…/wespeaker PYTHONPATH=src:. python tests/goldens/models/make_residual.py

The reference gets our `seeded` weights under its own names, so each file holds only features, embeddings and names.
It runs in float64: WeSpeaker's attentive pooling, E[x²] − μ², is off by 4e-5 in float32 (ours, E[(x − μ)²], by 5e-6).
The networks run at a quarter of their width or less, and their embeddings have 32 dimensions.
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
from speakerlab.models.eres2net.ERes2Net import ERes2Net  # noqa: E402
from speakerlab.models.eres2net.ERes2Net_huge import ERes2Net as ERes2NetHuge  # noqa: E402
from speakerlab.models.eres2net.ERes2NetV2 import ERes2NetV2  # noqa: E402
from speakerlab.models.res2net.Res2Net import Res2Net  # noqa: E402
from speakerlab.models.resnet.ResNet import ResNet  # noqa: E402
from wespeaker.models import eres2net, res2net  # noqa: E402
from wespeaker.models.samresnet import SimAM_ResNet34_ASP  # noqa: E402

from voxsphere.pretrained.foreign import three_d_speaker, wespeaker  # noqa: E402
from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402


def golden(name: str, reference: nn.Module, rules: Rules) -> None:
    """Give `reference` our weights, run it on seeded features, and keep both, and the names of its weights."""
    weights = seeded(REFERENCES[name]().eval())
    ours_of = {theirs: ours for theirs in reference.state_dict() if (ours := renamed(theirs, rules))}
    assert sorted(ours_of.values()) == sorted(weights)
    reference.load_state_dict({theirs: weights[ours] for theirs, ours in ours_of.items()})
    features = noise(2, 90, 80, seed=len(name))
    with torch.inference_mode():
        out = reference.double().eval()(features.double())
    embedding = out[-1] if isinstance(out, tuple) else out
    arrays = {"features": features.numpy(), "embedding": embedding.float().numpy(), "names": np.array(list(ours_of))}
    np.savez_compressed(HERE / f"{name}.npz", **arrays)
    print(name, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


def main() -> None:
    """Write the files."""
    torch.set_num_threads(1)
    two_layers = ResNet(m_channels=8, feat_dim=80, embedding_size=32)
    golden("resnet34_two_layers", two_layers, three_d_speaker.resnet())
    golden("simam_resnet34", SimAM_ResNet34_ASP(in_planes=8, embed_dim=32), wespeaker.simam_resnet((3, 4, 6, 3)))
    sizes = {"m_channels": 8, "num_blocks": [2, 1, 2, 1]}
    rules = wespeaker.res2net((2, 1, 2, 1))
    golden("res2net_wespeaker", res2net.Res2Net(**sizes, embed_dim=32), rules)
    golden("res2net_3dspeaker", Res2Net(**sizes, embedding_size=32), rules)
    golden("eres2net_wespeaker", eres2net.ERes2Net(**sizes, embed_dim=32), wespeaker.eres2net())
    aug = eres2net.ERes2Net(**sizes, embed_dim=32, baseWidth=24, scale=3, expansion=4)
    golden("eres2net_aug_wespeaker", aug, wespeaker.eres2net())
    golden("eres2net_3dspeaker", ERes2Net(**sizes, embedding_size=32), three_d_speaker.eres2net())
    golden("eres2net_huge_3dspeaker", ERes2NetHuge(**sizes, embedding_size=32), three_d_speaker.eres2net())
    golden("eres2netv2", ERes2NetV2(**sizes, embedding_size=32), three_d_speaker.eres2netv2())
    w24s4ep4 = ERes2NetV2(**sizes, embedding_size=32, baseWidth=24, scale=4, expansion=4)
    golden("eres2netv2_w24s4ep4", w24s4ep4, three_d_speaker.eres2netv2())


if __name__ == "__main__":
    main()
