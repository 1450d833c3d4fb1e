"""Make layer_adapters.npz: WeSpeaker's adapters over the layers of w2v-BERT 2.0, their pooling and their last layer.

Reference: WeSpeaker at commit dfa7419 (Apache-2.0), torch 2.13.0, CPU:

    WESPEAKER=…/wespeaker PYTHONPATH=src:. python tests/goldens/models/make_self_supervised.py

The reference gets our `seeded` weights under its own names, and four layers of 16 numbers instead of 25 of 1024.
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch
from studies.references import import_wespeaker

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "models"))
import_wespeaker(os.environ["WESPEAKER"])

from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402
from wespeaker.models.w2vbert_adapter_mfa import W2VBert_Adapter_MFA  # noqa: E402

from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402

NAMES: Rules = [
    (r"adapter_layers\.", "encoder.adapters."),
    (r"pooling\.attention\.0\.", "pooling.hidden."),
    (r"pooling\.attention\.2\.", "pooling.activation.norm."),
    (r"pooling\.attention\.3\.", "pooling.score."),
    (r"bottleneck\.", "projection.linear."),
]


def main() -> None:
    """Write the file."""
    torch.set_num_threads(1)
    reference = W2VBert_Adapter_MFA(16, embed_dim=8, adapter_dim=12, num_frontend_hidden_layers=3).eval()
    weights = seeded(REFERENCES["layer_adapters"]().eval())
    ours_of = {name: renamed(name, NAMES) for name in reference.state_dict()}
    assert sorted(ours_of.values()) == sorted(weights)
    reference.load_state_dict({name: weights[ours] for name, ours in ours_of.items()})
    features = noise(2, 50, 64, seed=14)
    with torch.inference_mode():
        _, embedding = reference(features.chunk(4, dim=2))
    arrays = {"features": features.numpy(), "embedding": embedding.numpy(), "names": np.array(list(ours_of))}
    np.savez_compressed(HERE / "layer_adapters.npz", **arrays)
    print("layer_adapters", tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


if __name__ == "__main__":
    main()
