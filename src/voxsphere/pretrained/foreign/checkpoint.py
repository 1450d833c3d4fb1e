"""Files of weights, read without running anything that they hold."""

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing

PRECISIONS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""The precisions in which weights may be kept."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a .safetensors file or of what `torch.save` wrote, as plain data on the CPU.

    A file that asks for more than tensors and plain values is refused: to read it would run code of its maker's.
    """
    existing(path)
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        with warnings.catch_warnings(action="ignore"):  # of unusual pickles, which are read or refused all the same
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        if asked is None:
            raise BadInput(f"{path}: is no checkpoint, or is damaged; copy it again") from error
        raise BadInput(
            f"{path}: is read with {asked[1]}, which may run any code; "
            "have whoever made it save its state_dict alone, and import that"
        ) from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a damaged file may fail in any way in its reader
        raise BadInput(f"{path}: is no checkpoint, or is damaged; copy it again") from error
    if not isinstance(content, Mapping):
        raise BadInput(f"{path}: holds {type(content).__name__} where weights with names are expected")
    return dict(content)


def weights_in(content: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """The named weights of a checkpoint, also under `state_dict` or `model`; parallel training's prefix is cut.

    Raises `BadInput` where there are none, or some are not dense, or hold numbers that are not finite.
    """
    inner = next((content[name] for name in ("state_dict", "model") if isinstance(content.get(name), Mapping)), content)
    state = {str(name): value for name, value in inner.items()} if isinstance(inner, Mapping) else {}
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        strange = next((name for name, value in state.items() if not isinstance(value, Tensor)), None)
        held = f"{strange}, which is no tensor" if strange is not None else "none"
        raise BadInput(f"{path}: weights with names are expected, it holds {held}")
    for name, value in state.items():
        if value.layout is not torch.strided or value.device.type != "cpu" or value.is_nested:
            raise BadInput(f"{path}: {name} is no dense tensor with numbers of its own; have it saved as one")
        if value.dtype in PRECISIONS and not bool(value.isfinite().all()):
            raise BadInput(f"{path}: {name} holds numbers that are not finite; take another checkpoint")
    parallel = all(name.startswith("module.") for name in state)
    return {name.removeprefix("module.") if parallel else name: value for name, value in state.items()}
