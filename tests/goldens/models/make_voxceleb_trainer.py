"""Make resnet_se34l.npz and resnet_se34v2.npz: mean frames of voxceleb_trainer's two ResNets.

Reference: clovaai/voxceleb_trainer at commit f51bab8 (MIT), torch 2.13.0, CPU:

    VOXCELEB_TRAINER=…/voxceleb_trainer PYTHONPATH=src python tests/goldens/models/make_voxceleb_trainer.py

The reference gets our `seeded` weights under its own names, so each file holds only features and embeddings: the frames
before its pooling, averaged over time and brought to unit length. It runs in float64, five blocks deep: at its full
depth its own float32 outputs are off by 3e-5 under these weights, ours by 9e-6. Its mel bands and their normalisation
are left out.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import nn
from torch.nn import functional

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["VOXCELEB_TRAINER"], str(HERE.parents[1] / "models")]
sys.modules["torchaudio"] = MagicMock()
sys.modules["torchaudio"].transforms.MelSpectrogram = lambda **_: nn.Identity()

from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402

from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402

BLOCKS = (1, 2, 1, 1)
_SHARED: Rules = [
    (r"^(sap_linear|attention|fc|instancenorm|torchfb).*", ""),
    (r"^layer(\d)\.(\d+)\.", lambda m: f"encoder.blocks.{sum(BLOCKS[: int(m[1]) - 1]) + int(m[2])}."),
    (r"(\d)\.conv1\.", r"\1.layers.0.0.0."),
    (r"(\d)\.bn1\.", r"\1.layers.0.0.2."),
    (r"(\d)\.conv2\.", r"\1.layers.0.1.conv."),
    (r"(\d)\.bn2\.", r"\1.layers.0.1.norm."),
    (r"\.se\.fc\.", ".layers.0.2.factors."),
    (r"downsample\.0\.", "shortcut.conv."),
    (r"downsample\.1\.", "shortcut.norm."),
]
RULES: dict[str, Rules] = {
    "ResNetSE34L": [*_SHARED, (r"^conv1\.", "encoder.first.0.conv."), (r"^bn1\.", "encoder.first.0.norm.")],
    "ResNetSE34V2": [*_SHARED, (r"^conv1\.", "encoder.first.0."), (r"^bn1\.", "encoder.first.2.")],
}


def main() -> None:
    """Write the two files."""
    torch.set_num_threads(1)
    for name, golden in (("ResNetSE34L", "resnet_se34l"), ("ResNetSE34V2", "resnet_se34v2")):
        module = import_module(f"models.{name}")
        widths = [16, 32, 64, 128]
        reference = module.ResNetSE(module.SEBasicBlock, BLOCKS, widths, 8, n_mels=40, log_input=False).eval().double()
        reference.torchfb, reference.instancenorm = nn.Identity(), nn.Identity()
        features = noise(2, 70, 40, seed=34)
        image = features.mT[:, None].double()
        reference.conv1.register_forward_pre_hook(lambda layer, given, image=image: (image,))
        weights = seeded(REFERENCES[golden]().eval())
        ours_of = {theirs: renamed(theirs, RULES[name]) for theirs in reference.state_dict()}
        ours_of = {theirs: ours for theirs, ours in ours_of.items() if ours}
        assert sorted(ours_of.values()) == sorted(weights), set(ours_of.values()) ^ set(weights)
        reference.load_state_dict({theirs: weights[ours] for theirs, ours in ours_of.items()}, strict=False)
        images: list[torch.Tensor] = []
        reference.layer4.register_forward_hook(lambda layer, given, image, kept=images: kept.append(image))
        with torch.inference_mode():
            reference(features.mT.double())
        frames = images[0].mean(2) if name == "ResNetSE34L" else images[0].flatten(1, 2)
        embedding = functional.normalize(frames.mean(-1))
        arrays = {
            "features": features.numpy(),
            "embedding": embedding.float().numpy(),
            "names": np.array(list(ours_of)),
        }
        np.savez_compressed(HERE / f"{golden}.npz", **arrays)
        print(golden, tuple(frames.shape), float(frames.norm()))


if __name__ == "__main__":
    main()
