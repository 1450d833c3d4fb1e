"""Make the goldens of the TDNN family: reference networks' outputs, one file each.

References: SpeakerVerifiaction-pytorch at commit e30cf98e, WeSpeaker at commit dfa7419, 3D-Speaker at commit 09e7806
and SpeechBrain 1.1.2 (the last three Apache-2.0); torch 2.13.0, CPU, in SpeechBrain's environment with jaxtyping:

    SPEAKER_VERIFICATION=…/SpeakerVerifiaction-pytorch WESPEAKER=…/wespeaker THREED_SPEAKER=…/3D-Speaker \\
        PYTHONPATH=src:. python tests/goldens/models/make_tdnn.py [NAME …]

The reference gets our `seeded` weights under its own names, so each file holds only features and embeddings. Networks
run at small widths where the reference lets us.
"""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from studies.references import import_wespeaker, speaker_verification_tdnns
from torch import nn

HERE = Path(__file__).parent
sys.path[:0] = [os.environ["THREED_SPEAKER"], str(HERE.parents[1] / "models")]
import_wespeaker(os.environ["WESPEAKER"])

import speaker_verification  # noqa: E402
from presets import REFERENCES  # noqa: E402
from seeded import noise, seeded  # noqa: E402
from speakerlab.models.ecapa_tdnn.ECAPA_TDNN import ECAPA_TDNN as ThreeDSpeakerEcapa  # noqa: E402, N811
from speakerlab.models.xvector.TDNN import Xvector as ThreeDSpeakerXvector  # noqa: E402
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN as SpeechBrainEcapa  # noqa: E402, N811
from speechbrain.lobes.models.Xvector import Xvector as SpeechBrainXvector  # noqa: E402
from wespeaker.models.tdnn import XVEC  # noqa: E402

from voxsphere.pretrained.foreign import speechbrain, three_d_speaker, wespeaker  # noqa: E402
from voxsphere.pretrained.foreign.renaming import Rules, renamed  # noqa: E402


def write(golden: str, reference: nn.Module, rules: Rules, *, shape: tuple[int, int, int] = (2, 60, 20)) -> None:
    """Give `reference` our weights, run it on seeded features, and keep both, and the names of its weights."""
    weights = seeded(REFERENCES[golden]().eval())
    theirs = {name: value for name, value in reference.state_dict().items() if renamed(name, rules)}
    ours = [name for name in weights if not name.endswith(".alpha")]  # the strength of a dropout is a setting
    assert sorted(renamed(name, rules) for name in theirs) == sorted(ours), golden
    given = {}
    for name, value in theirs.items():
        weight = weights[renamed(name, rules)]
        frames_first = golden == "etdnn" and weight.ndim == 3  # it unfolds: its matrices hold frame after frame
        given[name] = (weight.transpose(1, 2) if frames_first else weight).reshape(value.shape)
    reference.load_state_dict(given, strict=False)
    features = noise(*shape, seed=len(golden))
    with torch.inference_mode():
        out = reference.double().eval()(features.double())  # SpeakerVerifiaction-pytorch's variances cancel in float32
    embedding = (out[-1] if isinstance(out, tuple) else out).reshape(shape[0], -1).float()
    arrays = {"features": features.numpy(), "embedding": embedding.numpy(), "names": np.array(list(theirs))}
    np.savez_compressed(HERE / f"{golden}.npz", **arrays)
    print(golden, tuple(embedding.shape), float(embedding.norm(dim=1).mean()))


SV = speaker_verification_tdnns(os.environ["SPEAKER_VERIFICATION"])


def _speechbrain_xvector() -> nn.Module:
    network = SpeechBrainXvector(tdnn_channels=[32, 32, 32, 32, 48], lin_neurons=32, in_channels=20)
    network.blocks[15].eps = 0.0  # it adds noise of this size to the mean, and the size to the deviation, in use too
    return network


def _xvector(name: str) -> nn.Module:
    network: nn.Module = getattr(SV["TDNN"], name)(2, 32, 20, channels=[32, 32, 32, 32, 48])
    return network


def _aret(name: str, block: str, size: int) -> nn.Module:
    network: nn.Module = getattr(SV["ARET"], name)(
        2, 32, 20, channels=[32, 32, 32, 32, 32, 48], block_type=block, resnet_size=size
    )
    return network


def _etdnn_layer(match: re.Match[str]) -> str:
    return f"encoder.layers.{int(match[1]) - 1}.{'norm' if match[2] == 'bn' else 'conv'}."


ETDNN: Rules = [
    (r"^(?:frame|affine)(\d)\.(kernel|bn)\.", _etdnn_layer),
    (r"^segment11\.(\d)\.", r"projection.layers.\1."),
    (r"^classifier.*", ""),
]
FTDNN: Rules = [
    (r"^layer01\.kernel\.", "encoder.entry.conv."),
    (r"^layer01\.bn\.", "encoder.entry.norm."),
    (r"^layer10\.fc\.", "encoder.gather.conv."),
    (r"^layer10\.bn\.", "encoder.gather.norm."),
    (r"^layer0(\d)\.", lambda m: f"encoder.blocks.{int(m[1]) - 2}."),
    (r"\.factor([12])\.conv\.", lambda m: f".factors.{int(m[1]) - 1}."),
    (r"\.factor3\.", ".conv."),
    (r"^(encoder.*)\.bn\.", r"\1.norm."),
    (r"^layer1([23])\.fc\.", lambda m: f"projection.layers.{3 * (int(m[1]) - 2)}."),
    (r"^layer1([23])\.bn\.", lambda m: f"projection.layers.{3 * (int(m[1]) - 2) + 2}."),
    (r"^classifier.*|.*dropout\.mask$", ""),
]
DTDNN: Rules = [
    (r"^xvector\.tdnn\.linear\.", "encoder.entry.conv."),
    (r"^xvector\.tdnn\.nonlinear\.batchnorm\.", "encoder.entry.norm."),
    (r"^xvector\.dense\.linear\.", "projection.linear."),
    (r"^xvector\.dense\.nonlinear\.batchnorm\.", "projection.norm."),
    (r"^xvector\.transit(\d)\.", lambda m: f"encoder.narrow.{int(m[1]) - 1}."),
    (r"^xvector\.block(\d)\.tdnnd(\d+)\.", lambda m: f"encoder.blocks.{int(m[1]) - 1}.{int(m[2]) - 1}."),
    (r"\.nonlinear([12])\.batchnorm\.", lambda m: f".{int(m[1]) - 1}.norm."),
    (r"\.linear([12])\.", lambda m: f".{int(m[1]) - 1}.conv."),
    (r"narrow\.(\d)\.nonlinear\.batchnorm\.", r"narrow.\1.norm."),
    (r"narrow\.(\d)\.linear\.", r"narrow.\1.conv."),
    (r"^classifier.*", ""),
]


ECAPA_SUMMED: Rules = [
    (r"^layer1\.", "encoder.entry."),
    (r"^layer(\d)\.(\d)\.", lambda m: f"encoder.blocks.{int(m[1]) - 2}.layers.{m[2]}."),
    (r"\.convs\.(\d)\.", r".groups.\1.conv."),
    (r"\.bns\.(\d)\.", r".groups.\1.norm."),
    (r"\.3\.linear([12])\.", lambda m: f".3.factors.{2 * int(m[1]) - 2}."),
    (r"\.bn\.", ".norm."),
    (r"^conv\.", "encoder.gather."),
    (r"^pooling\.linear1\.", "pooling.hidden."),
    (r"^pooling\.linear2\.", "pooling.score."),
    (r"^bn0\.", "projection.norm_in."),
    (r"^fc1\.", "projection.linear."),
    (r"^bn1\.", "projection.norm_out."),
    (r"^classifier.*", ""),
]


def _aret_rules(size: int) -> Rules:
    """Their frames 1, 4, 7, 10 and what stands behind each, numbered through; RET holds a block, the others a list."""
    counts = {14: (1, 1, 1, 0), 17: (1, 1, 1, 1), 18: (2, 2, 2, 2)}[size]
    starts = [sum(1 + count for count in counts[:stage] if count) for stage in range(5)]

    def place(match: re.Match[str]) -> str:
        frame = int(match[1])
        if frame > 12:
            return f"encoder.layers.{starts[4] + frame - 13}."
        stage, later = divmod(frame - 1, 3)
        return f"encoder.layers.{starts[stage] + later}."

    return [
        (r"^frame(\d+)\.", place),
        # A list's second block comes one later.
        (r"^encoder\.layers\.(\d+)\.([01])\.", lambda m: f"encoder.layers.{int(m[1]) + int(m[2])}."),
        (r"\.tdnn([123])\.", lambda m: f".convs.{int(m[1]) - 1}."),
        (r"\.kernel\.", ".conv."),
        (r"\.bn\.", ".norm."),
        (r"\.CBAM_layer\.cov_t\.", ".of_frames."),
        (r"\.CBAM_layer\.cov_f\.", ".of_channels."),
        (r"\.tdnn1_kernel\.", ".first.conv."),
        (r"\.tdnn1_bn\.", ".first.norm."),
        (r"\.tdnn2_kernel\.", ".conv."),
        (r"\.tdnn2_bn\.", ".norm."),
        (r"\.SE_layer\.fc1\.", ".attention.factors.0."),
        (r"\.SE_layer\.fc2\.", ".attention.factors.2."),
        (r"\.branch2\.0\.", ".first.conv."),
        (r"\.branch2\.1\.", ".first.norm."),
        (r"\.branch2\.3\.", ".depthwise."),
        (r"\.branch2\.4\.", ".norm."),
        (r"\.branch2\.5\.", ".last.conv."),
        (r"\.branch2\.6\.", ".last.norm."),
        (r"^segment([12])\.(\d)\.", lambda m: f"projection.layers.{3 * (int(m[1]) - 1) + int(m[2])}."),
        (r"^classifier.*", ""),
    ]


GOLDENS: dict[str, tuple[Callable[[], nn.Module], Rules]] = {
    "aret_basic": (lambda: _aret("RET", "basic", 17), _aret_rules(17)),
    "aret_agg": (lambda: _aret("RET", "agg", 17), _aret_rules(17)),
    "aret_cbam": (lambda: _aret("RET", "cbam", 17), _aret_rules(17)),
    "aret_basic_14": (lambda: _aret("RET", "basic", 14), _aret_rules(14)),
    "aret_se_18": (lambda: _aret("RET_v3", "seblock_v2", 18), _aret_rules(18)),
    "aret_shuffle_18": (lambda: _aret("RET_v3", "shublock", 18), _aret_rules(18)),
    "dtdnn": (lambda: SV["DTDNN"].DTDNN(20, 32, 2, growth_rate=8, init_channels=16), DTDNN),
    "ecapa_speechbrain": (
        lambda: SpeechBrainEcapa(20, lin_neurons=32, channels=[64, 64, 64, 64, 96]),
        speechbrain.ecapa_tdnn(),
    ),
    "ecapa_3dspeaker": (
        lambda: ThreeDSpeakerEcapa(20, lin_neurons=32, channels=[64, 64, 64, 64, 192]),
        three_d_speaker.ecapa_tdnn(),
    ),
    "ecapa_summed": (lambda: SV["ECAPA_TDNN"].ECAPA_TDNN(2, 32, 20, channels=[64, 64, 64, 64, 192]), ECAPA_SUMMED),
    "etdnn": (lambda: SV["ETDNN"].ETDNN(2, 32, input_norm="", input_dim=20), ETDNN),
    "ftdnn": (lambda: SV["FTDNN"].FTDNN(2, 20, 32), FTDNN),
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
