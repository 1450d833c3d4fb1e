"""Make poolings.npz: what reference implementations of poolings give.

References: WeSpeaker dfa7419, 3D-Speaker 09e7806, SpeechBrain 1.1.2 (all Apache-2.0), voxceleb_trainer f51bab8 and
SpeakerVerifiaction-pytorch e30cf98 (both MIT), torch 2.13.0 and torchaudio 2.11.0 on a CPU, where SpeechBrain is
installed:

    WESPEAKER=…/wespeaker THREED_SPEAKER=…/3D-Speaker VOXCELEB_TRAINER=…/voxceleb_trainer \\
    SPEAKERVERIFIACTION=…/SpeakerVerifiaction-pytorch PYTHONPATH=src python tests/goldens/models/make_poolings.py

The reference gets our `seeded` weights under its own names, so the file holds only frames and what was made of them.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "models"), os.environ["VOXCELEB_TRAINER"]]

from presets_poolings import POOLING_REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402
from speechbrain.lobes.models.ECAPA_TDNN import AttentiveStatisticsPooling  # noqa: E402

from models import ResNetSE34L, ResNetSE34V2  # noqa: E402
from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402

DIM, FRAMES = 24, 40
LENGTHS = torch.tensor([1.0, 0.625])

Reference = tuple[nn.Module, Rules, Callable[[nn.Module, Tensor], Tensor]]


def module(variable: str, path: str) -> ModuleType:
    """One file of a project, without its package, which would import far more than poolings need."""
    spec = importlib.util.spec_from_file_location(f"{variable.lower()}_poolings", f"{os.environ[variable]}/{path}")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def straight(pooling: nn.Module, frames: Tensor) -> Tensor:
    return pooling(frames).flatten(1)


def transposed(pooling: nn.Module, frames: Tensor) -> Tensor:
    return pooling(frames.transpose(1, 2))


class Given(nn.Module):
    """A layer that gives what it was told to, whatever it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.value = torch.zeros(0)

    def forward(self, x: Tensor) -> Tensor:
        return self.value


def trainer(network: type[nn.Module], block: type[nn.Module], encoder: str) -> nn.Module:
    """voxceleb_trainer's network without anything but its pooling, which it holds as bare weights."""
    widths = [8, 8, 8, DIM if network is ResNetSE34L.ResNetSE else 8]
    model = network(block, [1, 1, 1, 1], widths, 8, encoder_type=encoder, n_mels=DIM, log_input=False)
    for name in ("torchfb", "instancenorm", "conv1", "bn1", "relu", "layer1", "layer2", "layer3", "fc"):
        setattr(model, name, nn.Identity())
    model.layer4 = Given()
    return model


def through_trainer(model: nn.Module, frames: Tensor) -> Tensor:
    # The first network averages over bands, the second folds them into channels.
    bands = 1 if hasattr(model, "sap_linear") else 3
    model.layer4.value = frames.unflatten(1, (-1, bands))
    return model(torch.zeros(len(frames), 1, 1))


def wespeaker() -> dict[str, Reference]:
    theirs = module("WESPEAKER", "wespeaker/models/pooling_layers.py")
    astp: Rules = [("linear1", "hidden"), ("linear2", "score")]
    asp: Rules = [("attention.0", "hidden"), ("attention.2", "activation.norm"), ("attention.3", "score")]
    heads: Rules = [(r"^heads", "n_query.0.heads"), (r"^n_query\.(\d+)\.heads_att_trans", r"attentions.\1")]
    mhastp: Rules = [*heads, ("att_0", "hidden"), ("att_1", "score")]
    many = {"query_num": 2, "head_num": 4, "bottleneck_dim": 8}
    return {
        "wespeaker TAP": (theirs.TAP(), [], straight),
        "wespeaker TSDP": (theirs.TSDP(), [], straight),
        "wespeaker TSTP": (theirs.TSTP(), [], straight),
        "wespeaker ASTP": (theirs.ASTP(DIM, bottleneck_dim=8), astp, straight),
        "wespeaker ASTP, context": (theirs.ASTP(DIM, bottleneck_dim=8, global_context_att=True), astp, straight),
        "wespeaker ASP": (theirs.ASP(input_dim=DIM, hidden_dim=8), asp, straight),
        "wespeaker MHASTP": (theirs.MHASTP(DIM, bottleneck_dim=8), mhastp, straight),
        "wespeaker MQMHASTP": (theirs.MQMHASTP(DIM, **many), mhastp, straight),
        "wespeaker MQMHASTP, one layer": (
            theirs.MQMHASTP(DIM, query_num=3, head_num=4, layer_num=1), [*heads, ("att_0", "score")], straight,
        ),
    }  # fmt: skip


def others() -> dict[str, Reference]:
    threed = module("THREED_SPEAKER", "speakerlab/models/eres2net/pooling_layers.py")
    brain: Rules = [("tdnn.conv.conv", "hidden"), ("tdnn.norm.norm", "activation.norm"), ("conv.conv", "score")]
    sap: Rules = [("sap_linear", "hidden"), ("attention$", "score.weight")]
    asp: Rules = [("attention.0", "hidden"), ("attention.2", "activation.norm"), ("attention.3", "score")]
    first, second = ResNetSE34L, ResNetSE34V2
    return {
        "3D-Speaker ASTP, context": (
            threed.ASTP(DIM, bottleneck_dim=8, global_context_att=True),
            [("linear1", "hidden"), ("linear2", "score")],
            straight,
        ),
        "speechbrain ASP": (AttentiveStatisticsPooling(DIM, 8, global_context=False), brain, straight),
        "speechbrain ASP, context": (AttentiveStatisticsPooling(DIM, 8), brain, straight),
        "voxceleb_trainer SAP": (trainer(first.ResNetSE, first.SEBasicBlock, "SAP"), sap, through_trainer),
        "voxceleb_trainer ASP": (trainer(first.ResNetSE, first.SEBasicBlock, "ASP"), sap, through_trainer),
        "voxceleb_trainer SAP, V2": (trainer(second.ResNetSE, second.SEBasicBlock, "SAP"), asp, through_trainer),
        "voxceleb_trainer ASP, V2": (trainer(second.ResNetSE, second.SEBasicBlock, "ASP"), asp, through_trainer),
    }


def speakerverifiaction() -> dict[str, Reference]:
    theirs = module("SPEAKERVERIFIACTION", "Define_Model/Pooling.py")
    rules: Rules = [
        ("attention_linear", "hidden"),
        (r"attention_vector$", "score.weight"),
        ("attention_vector", "score"),
    ]
    built = {
        "STAP": theirs.StatisticPooling(DIM),
        "MSTAP": theirs.MaxStatisticPooling(DIM),
        "SAP": theirs.SelfAttentionPooling(DIM, 8),
        "SAP2": theirs.SelfAttentionPooling_v2(DIM, 8),
        "SAP3": theirs.SelfAttentionPooling_v3(DIM, 8),
        "ASTP": theirs.AttentionStatisticPooling(DIM, 8),
        "ASTP2": theirs.AttentionStatisticPooling_v2(DIM, 8),
    }
    return {f"SpeakerVerifiaction-pytorch {name}": (built[name], rules, transposed) for name in built}


def given(name: str, reference: nn.Module, rules: Rules) -> dict[str, Tensor]:
    """Our seeded weights under the reference's names and in its shapes."""
    ours, state = seeded(POOLING_REFERENCES[name](in_dim=DIM)), {}
    names = {theirs: renamed(theirs, rules) for theirs in reference.state_dict()}
    assert set(names.values()) >= set(ours)
    for theirs, value in reference.state_dict().items():
        # A score for the whole frame may have a bias there, which the softmax takes back.
        weight = ours.get(names[theirs], torch.zeros(1) if theirs.endswith("bias") else None)
        state[theirs] = weight.reshape(value.shape)
    return state


def main() -> None:
    """Write the file."""
    torch.set_num_threads(1)
    frames = noise(2, DIM, FRAMES, seed=7)
    arrays = {"frames": frames.numpy(), "lengths": LENGTHS.numpy()}
    references = {**wespeaker(), **others(), **speakerverifiaction()}
    with torch.inference_mode():
        for name, (reference, rules, through) in references.items():
            reference.load_state_dict(given(name, reference, rules))
            arrays[name] = through(reference.eval(), frames.clone()).numpy()
            print(name, arrays[name].shape, float(np.linalg.norm(arrays[name])))
        masked = references["speechbrain ASP, context"][0](frames.clone(), LENGTHS).flatten(1)
    arrays["speechbrain ASP, context, lengths"] = masked.numpy()
    np.savez_compressed(HERE / "poolings.npz", **arrays)


if __name__ == "__main__":
    main()
