"""Make wespeaker_*.npz: WeSpeaker's networks with seeded weights, and what its own code embeds with them.

Reference: WeSpeaker at commit dfa7419 (Apache-2.0), torch 2.13.0, torchaudio 2.11.0 (its Kaldi filter bank), CPU:

Both compute in float64: in float32 the bank's quiet bands, and a pooling's difference of large numbers, lose digits.

    WESPEAKER=…/wespeaker PYTHONPATH=src:. python tests/goldens/pretrained/make_wespeaker.py [NAME …]
"""

import importlib
import os
import sys
from pathlib import Path

import torch
import yaml
from studies.references import import_wespeaker

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "models"), str(HERE.parents[1] / "pretrained")]
import_wespeaker(os.environ["WESPEAKER"])

from replica import keep, settle, wave  # noqa: E402
from wespeaker.dataset.dataset_utils import apply_cmvn  # noqa: E402
from wespeaker.dataset.processor import compute_fbank  # noqa: E402

NETWORKS = {
    "ecapa_glob": ("ecapa_tdnn", "ECAPA_TDNN_GLOB_c512", {"feat_dim": 80, "embed_dim": 192, "pooling_func": "ASTP"}),
    "ecapa_emb_bn": (
        "ecapa_tdnn",
        "ECAPA_TDNN_c512",
        {"feat_dim": 40, "embed_dim": 32, "pooling_func": "ASTP", "emb_bn": True},
    ),
    "resnet18_two": (
        "resnet",
        "ResNet18",
        {"feat_dim": 40, "embed_dim": 32, "pooling_func": "ASTP", "two_emb_layer": True},
    ),
    "campplus": ("campplus", "CAMPPlus", {"feat_dim": 80, "embed_dim": 512, "pooling_func": "TSTP"}),
    "xvec": ("tdnn", "XVEC", {"feat_dim": 80, "hid_dim": 64, "stats_dim": 96, "embed_dim": 32, "pooling_func": "TSTP"}),
    "res2net": ("res2net", "Res2Net34_Base", {"feat_dim": 40, "embed_dim": 32, "pooling_func": "TSTP"}),
    "eres2net": ("eres2net", "ERes2Net34_Base", {"feat_dim": 40, "embed_dim": 32, "pooling_func": "TSTP"}),
    "redimnet": ("redimnet", "ReDimNetB0", {"feat_dim": 60, "embed_dim": 32, "pooling_func": "ASTP"}),
    "redimnet_two": (
        "redimnet",
        "ReDimNetB1",
        {"feat_dim": 72, "embed_dim": 32, "pooling_func": "TSTP", "two_emb_layer": True},
    ),
    "simam": ("samresnet", "SimAM_ResNet34_ASP", {"in_planes": 8, "embed_dim": 32, "acoustic_dim": 80, "dropout": 0}),
    "resnet18": (
        "resnet",
        "ResNet18",
        {"feat_dim": 40, "embed_dim": 256, "pooling_func": "TSTP", "two_emb_layer": False},
    ),
}


def main() -> None:
    """Write the files, or those whose names are given."""
    torch.set_num_threads(1)
    for name, (module, network, options) in NETWORKS.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        bands = options.get("feat_dim", 80)
        fbank = {"num_mel_bins": bands, "frame_shift": 10, "frame_length": 25, "dither": 1.0}
        config = {
            "dataset_args": {"resample_rate": 16000, "speed_perturb": True, "num_frms": 200, "fbank_args": fbank},
            "exp_dir": f"exp/{network}", "model": network, "model_args": options, "model_init": None,
            "projection_args": {"project_type": "arc_margin", "scale": 32.0, "embed_dim": options["embed_dim"]},
        }  # fmt: skip
        told = [{"sample_rate": 16000, "wav": wave().double(), "key": "one", "label": "one"}]
        (computed,) = compute_fbank(told, **{**fbank, "dither": 0.0})
        features = apply_cmvn(computed["feat"][None]).float()
        reference = getattr(importlib.import_module(f"wespeaker.models.{module}"), network)(**options)
        # Their training keeps the classification layer in the same state dict.
        reference.add_module("projection", torch.nn.Linear(options["embed_dim"], 7))
        settle(reference)
        with torch.inference_mode():
            out = reference.double()(features.double())
        embedding = (out[-1] if isinstance(out, tuple) else out).float()
        reference.float()
        keep(HERE / f"wespeaker_{name}.npz", reference, {"config.yaml": yaml.dump(config)}, features, embedding)


if __name__ == "__main__":
    main()
