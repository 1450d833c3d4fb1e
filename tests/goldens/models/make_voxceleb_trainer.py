"""Make resnet_se34l.npz and resnet_se34v2.npz: outputs of voxceleb_trainer's two ResNets.

Reference: clovaai/voxceleb_trainer at commit f51bab8 (MIT), torch 2.13.0, CPU:

    VOXCELEB_TRAINER=…/voxceleb_trainer PYTHONPATH=src python tests/goldens/models/make_voxceleb_trainer.py

The reference gets our `seeded` weights under its own names, so each file holds only features and embeddings. It runs
in float64, five blocks deep: at its full depth its own float32 outputs are off by 3e-5 under these weights, ours by
9e-6. Its mel bands and their normalisation are left out.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["VOXCELEB_TRAINER"], str(HERE.parents[1] / "models")]
sys.modules["torchaudio"] = MagicMock()
sys.modules["torchaudio"].transforms.MelSpectrogram = lambda **_: nn.Identity()

from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402

from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402

BLOCKS = (1, 2, 1, 1)
_SHARED: Rules = [
    (r"^(instancenorm|torchfb).*", ""),
    (r"^fc\.", "projection.linear."),
    (r"^sap_linear\.", "pooling.hidden."),
    (r"^attention$", "pooling.score.weight"),
    (r"^attention\.0\.", "pooling.hidden."),
    (r"^attention\.2\.", "pooling.activation.norm."),
    (r"^attention\.3\.", "pooling.score."),
    (r"^layer(\d)\.(\d+)\.", lambda m: f"encoder.blocks.{sum(BLOCKS[: int(m[1]) - 1]) + int(m[2])}."),
    (r"(\d)\.conv1\.", r"\1.layers.0.0.conv."),
    (r"(\d)\.bn1\.", r"\1.layers.0.0.norm."),
    (r"(\d)\.conv2\.", r"\1.layers.0.1.conv."),
    (r"(\d)\.bn2\.", r"\1.layers.0.1.norm."),
    (r"\.se\.fc\.", ".layers.0.2.factors."),
    (r"downsample\.0\.", "shortcut.conv."),
    (r"downsample\.1\.", "shortcut.norm."),
]
RULES: dict[str, Rules] = {
    "ResNetSE34L": [*_SHARED, (r"^conv1\.", "encoder.first.0.conv."), (r"^bn1\.", "encoder.first.0.norm.")],
    "ResNetSE34V2": [*_SHARED, (r"^conv1\.", "encoder.first.conv."), (r"^bn1\.", "encoder.first.norm.")],
}


def main() -> None:
    """Write the two files."""
    torch.set_num_threads(1)
    for name, golden, pooling in (("ResNetSE34L", "resnet_se34l", "SAP"), ("ResNetSE34V2", "resnet_se34v2", "ASP")):
        module, widths = import_module(f"models.{name}"), [16, 32, 64, 128]
        reference = module.ResNetSE(module.SEBasicBlock, BLOCKS, widths, 8, encoder_type=pooling, log_input=False)
        reference.torchfb, reference.instancenorm = nn.Identity(), nn.Identity()
        weights, shapes = seeded(REFERENCES[golden]().eval()), reference.state_dict()
        ours_of = {theirs: renamed(theirs, RULES[name]) for theirs in shapes}
        assert sorted(ours_of.values()) == sorted(weights), set(ours_of.values()) ^ set(weights)
        reference.load_state_dict({n: weights[ours].reshape(shapes[n].shape) for n, ours in ours_of.items()})
        features = noise(2, 70, 40, seed=34)
        with torch.inference_mode():
            # It adds that much for the logarithm.
            embedding = reference.eval().double()(features.mT.double() - 1e-6).float()
        arrays = {"features": features.numpy(), "embedding": embedding.numpy(), "names": np.array(list(ours_of))}
        np.savez_compressed(HERE / f"{golden}.npz", **arrays)
        print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


if __name__ == "__main__":
    main()
