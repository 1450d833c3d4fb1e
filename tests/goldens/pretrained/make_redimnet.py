"""Make redimnet_*.npz: ReDimNet and ReDimNet2 with seeded weights, and what their own code embeds with them.

References: IDRnD/redimnet at commit dd9f519 and PalabraAI/redimnet2 at commit ffe8f27 (both MIT), torch 2.13.0,
torchaudio 2.11.0, CPU:

    REDIMNET=…/redimnet REDIMNET2=…/redimnet2 python tests/goldens/pretrained/make_redimnet.py
"""

import json
import os
import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path[:0] = [
    os.environ["REDIMNET"],
    os.environ["REDIMNET2"],
    str(HERE.parents[1] / "models"),
    str(HERE.parents[1] / "pretrained"),
]

from redimnet.model import ReDimNetWrap  # noqa: E402
from redimnet2.redimnet2 import ReDimNet2Wrap  # noqa: E402
from replica import calm, keep, wave  # noqa: E402

_MASKS = {"do_spec_aug": True, "freq_mask_width": [0, 6], "time_mask_width": [0, 8]}
# As in the published files, but for the widths; they hold the options as lists and tuples, here all are lists.
NETWORKS = {
    "b2": {
        "F": 72, "C": 4, "block_1d_type": "conv+att", "block_2d_type": "convnext_like", "group_divisor": 4,
        "stages_setup": [[1, 1, 1, [[3, 3]], 12], [2, 2, 1, [[3, 3]], 12], [3, 1, 1, [[3, 3]], None]],
        "out_channels": None, "embed_dim": 32, "hop_length": 160, "pooling_func": "ASTP", "feat_type": "pt",
        "global_context_att": True, "emb_bn": False, "num_classes": None, "spec_params": _MASKS,
    },
    "b0": {
        "F": 60, "C": 8, "block_1d_type": "att", "block_2d_type": "basic_resnet_fwse", "group_divisor": 1,
        "stages_setup": [[1, 1, 2, [[3, 3]], 10], [2, 1, 3, [[3, 3]], 5]],
        "out_channels": 48, "embed_dim": 32, "hop_length": 200, "pooling_func": "ASTP", "feat_type": "pt",
        "global_context_att": False, "emb_bn": True, "spec_params": _MASKS,
    },
    "second": {
        "F": 72, "C": 8, "block_1d_type": "conv+att", "block_2d_type": "basic_resnet", "group_divisor": 1,
        "stages_setup": [
            [[1, 1], 1, 2, [[3, 3]], 24], [[2, 1], 1, 1, [[3, 3]], 24], [[1, 2], 1, 1, [[3, 3]], 24],
        ],
        "out_channels": 16, "return_2d_output": True, "agg_gnorm": True, "dual_agg": False, "embed_dim": 32,
        "hop_length": 160, "pooling_func": "ASTP", "feat_type": "tf", "global_context_att": True, "emb_bn": False,
        "spec_params": {**_MASKS, "norm_signal": True}, "causal": "none",
    },
}  # fmt: skip


def main() -> None:
    """Write the files."""
    torch.set_num_threads(1)
    for name, options in NETWORKS.items():
        reference = (ReDimNet2Wrap if name == "second" else ReDimNetWrap)(**options).eval()
        # The front end's constants are part of its state, but are no weights.
        constants = {key: value for key, value in reference.state_dict().items() if key.startswith("spec.")}
        reference.load_state_dict(calm(reference.state_dict()) | constants)
        with torch.inference_mode():
            features = reference.spec(wave()).transpose(1, 2)
            embedding = reference(wave())
        keep(HERE / f"redimnet_{name}.npz", reference, {"model_config.json": json.dumps(options)}, features, embedding)


if __name__ == "__main__":
    main()
