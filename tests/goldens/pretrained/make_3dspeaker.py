"""Make 3dspeaker_*.npz: 3D-Speaker's networks with seeded weights, and what its own code embeds with them.

Reference: 3D-Speaker at commit 09e7806 (Apache-2.0), torch 2.13.0, torchaudio 2.11.0 (its Kaldi filter bank), CPU:

    THREED_SPEAKER=…/3D-Speaker python tests/goldens/pretrained/make_3dspeaker.py [NAME …]

Public models lie on ModelScope, whose configuration.json names the network by a type of ModelScope's own; who trains
with 3D-Speaker has a YAML file that names the class. Filter bank and network compute in float64, as float32 loses
digits in quiet bands.
"""

import importlib
import json
import os
import sys
from pathlib import Path

import torch
import yaml

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["THREED_SPEAKER"], str(HERE.parents[1] / "models"), str(HERE.parents[1] / "pretrained")]

from replica import keep, settle, wave  # noqa: E402
from speakerlab.process.processor import FBank  # noqa: E402

# The class, its options, and what ModelScope's configuration.json says of it (type and options), if it is there.
NETWORKS = {
    "xvector": ("xvector.TDNN.Xvector", {"feat_dim": 80, "hid_dim": 64, "stats_dim": 96, "embed_dim": 32}, None),
    "resnet": (
        "resnet.ResNet.ResNet",
        {"feat_dim": 80, "m_channels": 8, "embedding_size": 32},
        ("resnet-sv", {"sample_rate": 16000, "embed_dim": 32, "channels": 8}),
    ),
    "res2net": ("res2net.Res2Net.Res2Net", {"feat_dim": 80, "m_channels": 8, "embedding_size": 32}, None),
    "eres2net": (
        "eres2net.ERes2Net.ERes2Net",
        {"feat_dim": 80, "m_channels": 8, "embedding_size": 32},
        ("eres2net-sv", {"sample_rate": 16000, "embed_dim": 32, "channels": 8}),
    ),
    "eres2net_huge": (
        "eres2net.ERes2Net_huge.ERes2Net",
        {"feat_dim": 80, "m_channels": 8, "embedding_size": 32},
        None,
    ),
    "eres2netv2": (
        "eres2net.ERes2NetV2.ERes2NetV2",
        {"feat_dim": 80, "m_channels": 8, "embedding_size": 32, "baseWidth": 24, "scale": 4, "expansion": 4},
        None,
    ),
    "ecapa": (
        "ecapa_tdnn.ECAPA_TDNN.ECAPA_TDNN",
        {"input_size": 80, "channels": [64, 64, 64, 64, 192]},
        ("ecapa-tdnn-sv", {"sample_rate": 16000, "channels": [64, 64, 64, 64, 192]}),
    ),
    "campplus": (
        "campplus.DTDNN.CAMPPlus",
        {"feat_dim": 80, "embedding_size": 192},
        ("cam++-sv", {"sample_rate": 16000, "fbank_dim": 80, "emb_size": 192}),
    ),
}


def modelscope(kind: str, options: dict[str, object]) -> dict[str, str]:
    """A configuration.json as public models have it."""
    model = {"type": kind, "model_config": options, "pretrained_model": "weights.bin", "yesOrno_thr": 0.31}
    content = {"framework": "pytorch", "task": "speaker-verification", "model": model,
               "pipeline": {"type": "speaker-verification"}}  # fmt: skip
    return {"configuration.json": json.dumps(content, indent=2)}


def training(path: str, options: dict[str, object]) -> dict[str, str]:
    """A training configuration, in which options refer to each other by `<name>`."""
    extractor = {"obj": "speakerlab.process.processor.FBank",
                 "args": {"n_mels": "<fbank_dim>", "sample_rate": "<sample_rate>", "mean_nor": True}}  # fmt: skip
    network = {"obj": f"speakerlab.models.{path}", "args": {**options, "feat_dim": "<fbank_dim>"}}
    content = {"sample_rate": 16000, "fbank_dim": options["feat_dim"], "exp_dir": "exp", "feature_extractor": extractor,
               "embedding_model": network}  # fmt: skip
    return {"config.yaml": yaml.dump(content)}


def main() -> None:
    """Write the files, or those whose names are given."""
    torch.set_num_threads(1)
    for name, (path, options, public) in NETWORKS.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        module, _, network = path.rpartition(".")
        reference = settle(getattr(importlib.import_module(f"speakerlab.models.{module}"), network)(**options))
        features = FBank(options.get("feat_dim", 80), sample_rate=16000, mean_nor=True)(wave().double())[None].float()
        with torch.inference_mode():
            embedding = reference.double()(features.double()).float()
        reference.float()
        files = modelscope(*public) if public else training(path, options)
        keep(HERE / f"3dspeaker_{name}.npz", reference, files, features, embedding)


if __name__ == "__main__":
    main()
