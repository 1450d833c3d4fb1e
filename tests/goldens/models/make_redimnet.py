"""Make redimnet_{b0,b2,b5,wave}.npz and redimnet2_{b0,b6,wave}.npz: embeddings of the two reference implementations.

References: IDRnD/redimnet at commit dd9f519 and PalabraAI/redimnet2 at ffe8f27 (both MIT), torch 2.13.0 and
torchaudio 2.11.0, CPU:

    REDIMNET=…/redimnet REDIMNET2=…/redimnet2 PYTHONPATH=src:. python tests/goldens/models/make_redimnet.py

The stages are the published sizes' with fewer channels, and fewer residual blocks: many of them under seeded weights
would magnify rounding. "wave" asks the whole model, front end included. The references get our `seeded` weights under
their own names, so each file holds only what went in, the embedding and the names.
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch
from studies.references import Bands, redimnet_of

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["REDIMNET"], os.environ["REDIMNET2"], str(HERE.parents[1] / "models")]

from presets import REFERENCES  # noqa: E402
from redimnet.model import ReDimNetWrap  # noqa: E402
from redimnet2.redimnet2 import ReDimNet2Wrap  # noqa: E402
from seeded import noise, seeded, vowel  # noqa: E402

from voxsphere.models.encoders.redimnet2 import ReDimNet2  # noqa: E402
from voxsphere.pretrained.foreign.redimnet import redimnet, redimnet2  # noqa: E402
from voxsphere.pretrained.foreign.renaming import renamed  # noqa: E402


def main() -> None:
    """Write the seven files."""
    torch.set_num_threads(1)
    for golden in (name for name in REFERENCES if name.startswith("redimnet")):
        model = REFERENCES[golden]().eval()
        encoder = REFERENCES[golden].keywords["encoder"]
        wrap = ReDimNet2Wrap if encoder.func is ReDimNet2 else ReDimNetWrap
        reference = redimnet_of(wrap, encoder, model.encoder.in_dim, 32)
        if golden.endswith("wave"):
            given = torch.from_numpy(vowel(0.8)).float()[None] / 32768
        else:
            reference.spec = Bands()
            given = noise(2, 90, model.encoder.in_dim, seed=len(golden))
        weights, theirs = seeded(model), reference.state_dict()
        rules = redimnet2() if encoder.func is ReDimNet2 else redimnet()
        ours_of = {name: ours for name in theirs if (ours := renamed(name, rules))}
        assert sorted(ours_of.values()) == sorted(weights)
        ours = {name: weights[ours].reshape(theirs[name].shape) for name, ours in ours_of.items()}
        reference.load_state_dict(theirs | ours)
        with torch.inference_mode():
            embedding = reference.eval()(given)
        arrays = {"features": given.numpy(), "embedding": embedding.numpy(), "names": np.array(list(theirs))}
        np.savez_compressed(HERE / f"{golden}.npz", **arrays)
        print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


if __name__ == "__main__":
    main()
