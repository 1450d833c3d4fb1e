"""Published files of ReDimNet and ReDimNet2: one .pt that holds the network's options and its weights."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from voxsphere.audio.tf_mel import TfMel
from voxsphere.core.errors import BadInput, one_line
from voxsphere.models.encoders.redimnet2 import ReDimNet2
from voxsphere.models.projection import NormLinearNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained.foreign.checkpoint import read_checkpoint, weights_in
from voxsphere.pretrained.foreign.found import Form, Found, first_of
from voxsphere.pretrained.foreign.redimnet import redimnet, redimnet2
from voxsphere.pretrained.foreign.redimnet_config import redimnet_from_config


def find(folder: Path) -> Found:
    """The model in a file such as b2-vox2-lm.pt, or in a folder that holds one such file."""
    weights = folder if folder.is_file() else first_of(folder, "*.pt", "*.pth", what="weights")
    content = read_checkpoint(weights)
    told = content.get("model_config")
    if not isinstance(told, Mapping) or "state_dict" not in content:
        raise BadInput(f"{weights}: holds no model_config and state_dict, as ReDimNet's published files do")
    parts = _recipe(told, weights).keywords
    second = parts["encoder"].func is ReDimNet2
    project, network = ("PalabraAI", "ReDimNet2") if second else ("IDRnD", "ReDimNet")
    rules = (redimnet2 if second else redimnet)(last_norm=parts["projection"].func is NormLinearNorm)
    paper = "Yakovlev & Okhotnikov 2026, ReDimNet2, arXiv:2603.11841" if second else (
        "Yakovlev et al. 2024, Reshape Dimensions Network for Speaker Recognition, arXiv:2407.18223"
    )  # fmt: skip
    form = Form(parts["encoder"], parts["pooling"], parts["projection"], rules, paper)
    words = _front_end(parts["features"])
    return Found(project, network, form, parts["features"], words, weights, weights_in(content, weights), weights.stem)


def _recipe(told: Mapping[str, Any], weights: Path) -> "partial[SpeakerModel]":
    try:
        return redimnet_from_config(told)
    except BadInput as error:
        raise BadInput(f"{weights}: {error}") from error
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise BadInput(f"{weights}: its model_config describes no ReDimNet ({one_line(error)})") from error


def _front_end(features: "partial[Any]") -> str:
    options = features.keywords
    kind = "TensorFlow's" if features.func is TfMel else "torchaudio's"
    level = ", wave brought to deviation 1" if options.get("normalise") else ""
    return (
        f"16 kHz, {options['num_mels']}-band log mel filterbank ({kind}, Hamming window, "
        f"25/{1000 * options['frame_shift']:g} ms){level}, utterance mean subtracted"
    )
