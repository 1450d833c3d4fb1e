"""Make redimnet_b0.npz, redimnet_b2.npz, redimnet_b5.npz: the embeddings of IDRnD's ReDimNet.

Reference: IDRnD/redimnet at commit dd9f519 (MIT), torch 2.13.0, CPU; torchaudio is not needed, its front end is not
asked:

    REDIMNET=…/redimnet PYTHONPATH=src python tests/goldens/models/make_redimnet.py

The stages are those of the sizes B0, B2 and B5 with fewer channels; B0's and B5's have one block each, because more
residual blocks under seeded weights would magnify rounding. The reference gets our `seeded` weights under
its own names, so each file holds only features, embedding and names.
"""

import os
import sys
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["REDIMNET"], str(HERE.parents[1] / "models")]
# Its front end wants torchaudio in the constructor.
sys.modules["torchaudio"] = ModuleType("torchaudio")
sys.modules["torchaudio"].transforms = SimpleNamespace(MelSpectrogram=lambda **_: nn.Identity())

from presets import REFERENCES  # noqa: E402
from redimnet.model import ReDimNetWrap  # noqa: E402
from seeded import noise, seeded  # noqa: E402

from voxsphere.pretrained.foreign.redimnet import redimnet  # noqa: E402
from voxsphere.pretrained.foreign.renaming import renamed  # noqa: E402


class _Bands(nn.Module):
    """Frames as the front end would give them: bands before frames."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return frames.transpose(1, 2)


def arguments(encoder: "partial[Any]", bands: int) -> dict[str, Any]:
    """Our encoder's options under their names."""
    options = encoder.keywords
    stages = [
        (stride, count, widening, [(3, 3)], reduction) for stride, count, widening, reduction in options["stages"]
    ]
    return {
        "F": bands, "C": options["channels"], "stages_setup": stages, "block_1d_type": "conv+att",
        "block_2d_type": options["block"], "group_divisor": options["group"], "global_context_att": True,
    }  # fmt: skip


def main() -> None:
    """Write the three files."""
    torch.set_num_threads(1)
    for golden, bands in (("redimnet_b0", 60), ("redimnet_b2", 72), ("redimnet_b5", 72)):
        reference = ReDimNetWrap(**arguments(REFERENCES[golden].keywords["encoder"], bands), embed_dim=32)
        reference.spec = _Bands()
        weights = seeded(REFERENCES[golden]().eval())
        theirs = reference.state_dict()
        ours_of = {name: ours for name in theirs if (ours := renamed(name, redimnet()))}
        assert sorted(ours_of.values()) == sorted(weights)
        given = {name: weights[ours].reshape(theirs[name].shape) for name, ours in ours_of.items()}
        reference.load_state_dict(theirs | given)
        features = noise(2, 90, bands, seed=len(golden))
        with torch.inference_mode():
            embedding = reference.eval()(features)
        arrays = {"features": features.numpy(), "embedding": embedding.numpy(), "names": np.array(list(theirs))}
        np.savez_compressed(HERE / f"{golden}.npz", **arrays)
        print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


if __name__ == "__main__":
    main()
