"""Make the goldens of the TDNN family: reference networks' outputs, one file each.

References: SpeakerVerifiaction-pytorch at commit e30cf98e, WeSpeaker at commit dfa7419, 3D-Speaker at commit 09e7806
and SpeechBrain 1.1.2 (the last three Apache-2.0); torch 2.13.0, CPU, in SpeechBrain's environment with jaxtyping:

    SPEAKER_VERIFICATION=…/SpeakerVerifiaction-pytorch WESPEAKER=…/wespeaker THREED_SPEAKER=…/3D-Speaker \\
        PYTHONPATH=src python tests/goldens/models/make_tdnn.py [NAME …]

The reference gets our `seeded` weights under its own names, so each file holds only features and embeddings. Networks
run at small widths where the reference lets us.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["THREED_SPEAKER"], str(HERE.parents[1] / "models")]
# WeSpeaker's own __init__ imports its command line, and with it far more than its networks need.
sys.modules["wespeaker"] = ModuleType("wespeaker")
sys.modules["wespeaker"].__path__ = [f"{os.environ['WESPEAKER']}/wespeaker"]

from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402
from speakerlab.models.xvector.TDNN import Xvector as ThreeDSpeakerXvector  # noqa: E402
from speechbrain.lobes.models.Xvector import Xvector as SpeechBrainXvector  # noqa: E402
from wespeaker.models.tdnn import XVEC  # noqa: E402

from voxsphere.pretrained.foreign import speaker_verification, speechbrain, three_d_speaker, wespeaker  # noqa: E402
from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402


class _Absent(ModuleType):
    """A module of SpeakerVerifiaction-pytorch that does not run at this commit, and that its networks do without."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "get_activation":
            return lambda activation: {"relu": nn.ReLU, "leakyrelu": nn.LeakyReLU}[activation]
        if name in ("get_filter_layer", "get_mask_layer", "get_input_norm"):
            return lambda *_, **__: None
        return type(name, (nn.Module,), {})


def speaker_verification_files() -> dict[str, ModuleType]:
    """The project's files of this family by name; a module TDNN.py beside the folder TDNN hides them from imports."""
    for name in ("Define_Model", "Define_Model.TDNN"):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = []
    for name in ("FilterLayer", "ResNet", "CNN"):
        sys.modules[f"Define_Model.{name}"] = _Absent(name)
    loaded = {}
    for path in ("Pooling", "TDNN/TDNN"):
        name = f"Define_Model.{path.replace('/', '.')}"
        spec = importlib.util.spec_from_file_location(
            name, f"{os.environ['SPEAKER_VERIFICATION']}/Define_Model/{path}.py"
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        loaded[path.rpartition("/")[2]] = module
    return loaded


def write(golden: str, reference: nn.Module, rules: Rules, *, shape: tuple[int, int, int] = (2, 60, 20)) -> None:
    """Give `reference` our weights, run it on seeded features, and keep both, and the names of its weights."""
    weights = seeded(REFERENCES[golden]().eval())
    theirs = {name: value for name, value in reference.state_dict().items() if renamed(name, rules)}
    assert sorted(renamed(name, rules) for name in theirs) == sorted(weights), golden
    given = {name: weights[renamed(name, rules)].reshape(value.shape) for name, value in theirs.items()}
    reference.load_state_dict(given, strict=False)
    features = noise(*shape, seed=len(golden))
    with torch.inference_mode():
        out = reference.eval()(features.clone())
    embedding = (out[-1] if isinstance(out, tuple) else out).reshape(shape[0], -1)
    arrays = {"features": features.numpy(), "embedding": embedding.numpy(), "names": np.array(list(theirs))}
    np.savez_compressed(HERE / f"{golden}.npz", **arrays)
    print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


SV = speaker_verification_files()


def _speechbrain_xvector() -> nn.Module:
    network = SpeechBrainXvector(tdnn_channels=[32, 32, 32, 32, 48], lin_neurons=32, in_channels=20)
    network.blocks[15].eps = 0.0  # it adds noise of this size to the mean, and the size to the deviation, in use too
    return network


def _xvector(name: str) -> nn.Module:
    network: nn.Module = getattr(SV["TDNN"], name)(2, 32, 20, channels=[32, 32, 32, 32, 48])
    return network


GOLDENS: dict[str, tuple[Callable[[], nn.Module], Rules]] = {
    "xvector": (lambda: _xvector("TDNN_v5"), speaker_verification.tdnn()),
    "xvector_norm_relu": (lambda: _xvector("TDNN_v6"), speaker_verification.tdnn()),
    "xvector_wespeaker": (lambda: XVEC(20, 32, 48, 32), wespeaker.xvector()),
    "xvector_3dspeaker": (lambda: ThreeDSpeakerXvector(20, 32, 48, 32), three_d_speaker.xvector()),
    "xvector_speechbrain": (_speechbrain_xvector, speechbrain.xvector()),
}


def main() -> None:
    """Write the files named on the command line, or all."""
    torch.set_num_threads(1)
    for golden in sys.argv[1:] or GOLDENS:
        build, rules = GOLDENS[golden]
        write(golden, build(), rules)


if __name__ == "__main__":
    main()
