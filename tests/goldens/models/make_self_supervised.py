"""Make layer_adapters.npz and ecapa_unispeech.npz: what stands on self-supervised networks in two projects.

References: WeSpeaker at commit dfa7419 (Apache-2.0), whose adapters over the layers of w2v-BERT 2.0, their pooling and
their last layer get four layers of 16 numbers instead of 25 of 1024; and UniSpeech at commit 40d3227 (CC BY-SA 3.0),
whose ECAPA_TDNN gets 20 numbers a frame and 64 channels instead of 1024 and 512. torch 2.13.0, CPU:

    WESPEAKER=…/wespeaker UNISPEECH=…/UniSpeech PYTHONPATH=src:. python tests/goldens/models/make_self_supervised.py

The references get our `seeded` weights under their own names. The networks below, and with them torchaudio, s3prl and
fairseq, are left out.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch
from studies.references import import_wespeaker
from torch import Tensor, nn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "models"))
import_wespeaker(os.environ["WESPEAKER"])

from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402
from wespeaker.models.w2vbert_adapter_mfa import W2VBert_Adapter_MFA  # noqa: E402

from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402
from voxsphere.pretrained.foreign.wespeaker import ecapa_tdnn  # noqa: E402

NAMES: Rules = [
    (r"adapter_layers\.", "encoder.adapters."),
    (r"pooling\.attention\.0\.", "pooling.hidden."),
    (r"pooling\.attention\.2\.", "pooling.activation.norm."),
    (r"pooling\.attention\.3\.", "pooling.score."),
    (r"bottleneck\.", "projection.linear."),
]


UNISPEECH: Rules = [
    (r"^pooling\.linear1", "pooling.hidden"),
    (r"^pooling\.linear2", "pooling.score"),
    (r"\.Conv1dReluBn([12])\.", lambda m: f".se_res2block.{2 * int(m[1]) - 2}."),
    (r"\.Res2Conv1dReluBn\.", ".se_res2block.1."),
    (r"\.SE_Connect\.", ".se_res2block.3."),
    *ecapa_tdnn(),
    (r"^projection\.norm_in\.", "projection.norm."),
]


def unispeech_ecapa(checkout: str) -> nn.Module:
    """UniSpeech's ECAPA-TDNN, which takes the states of a network below as features."""
    sys.modules |= {name: MagicMock() for name in ("torchaudio", "torchaudio.transforms", "unispeech.utils")}
    sys.modules["unispeech"] = ModuleType("unispeech")
    sys.modules["unispeech"].__path__ = [f"{checkout}/downstreams/speaker_verification/models"]
    reference = importlib.import_module("unispeech.ecapa_tdnn").ECAPA_TDNN(feat_dim=20, channels=64, emb_dim=32)
    reference.get_feat = lambda states: reference.instance_norm(states.mT)
    return reference


def write(golden: str, reference: nn.Module, rules: Rules, features: Tensor, given: Any) -> None:
    """Give `reference` our weights, ask it for embeddings of what is `given`, and keep them with the features."""
    weights = seeded(REFERENCES[golden]().eval())
    ours_of = {name: renamed(name, rules) for name in reference.state_dict()}
    assert sorted(ours_of.values()) == sorted(weights)
    reference.load_state_dict({name: weights[ours] for name, ours in ours_of.items()})
    with torch.inference_mode():
        out = reference.eval()(given)
    embedding = out[-1] if isinstance(out, tuple) else out
    arrays = {"features": features.numpy(), "embedding": embedding.numpy(), "names": np.array(list(ours_of))}
    np.savez_compressed(HERE / f"{golden}.npz", **arrays)
    print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


def main() -> None:
    """Write the files."""
    torch.set_num_threads(1)
    adapters = W2VBert_Adapter_MFA(16, embed_dim=8, adapter_dim=12, num_frontend_hidden_layers=3)
    features = noise(2, 50, 64, seed=14)
    write("layer_adapters", adapters, NAMES, features, features.chunk(4, dim=2))
    features = noise(2, 60, 20, seed=15)
    write("ecapa_unispeech", unispeech_ecapa(os.environ["UNISPEECH"]), UNISPEECH, features, features)


if __name__ == "__main__":
    main()
