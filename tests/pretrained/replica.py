"""How a golden of another project's model folder is made, and how a test lays the folder out again.

The project's own code builds a network, which gets `seeded` weights under the project's own names; the golden keeps
those names and their shapes, the configuration, the features and the embeddings, so that it needs to hold no weights.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from seeded import seeded_state, vowel
from torch import Tensor, nn

SECONDS = 1.2


def wave() -> Tensor:
    """The wave that all goldens embed: 1.2 s at 16 kHz, samples of 16 bits as floats in ±1."""
    return torch.from_numpy(vowel(SECONDS).astype(np.float32) / 32768)[None]


def settle(network: nn.Module) -> nn.Module:
    """The network with its seeded weights, in evaluation mode."""
    network.load_state_dict(calm(network.state_dict()))
    return network.eval()


def calm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Seeded weights, small enough for clipped and attentive layers to stay off their limits.

    At their limits the networks are chaotic: the sixth digit of a feature would show in the second of the embedding.
    """
    return {name: 0.6 * value if value.ndim > 1 else value for name, value in seeded_state(state).items()}


def keep(file: Path, network: nn.Module, files: dict[str, str], features: Tensor, embedding: Tensor) -> None:
    """Write a golden: `files` are the texts that the project keeps beside the weights, by their names."""
    layout = [
        [name, list(value.shape), str(value.dtype).removeprefix("torch.")]
        for name, value in network.state_dict().items()
    ]
    told = {"files": files, "weights": layout}
    arrays: dict[str, Any] = {"features": features.numpy(), "embedding": embedding.detach().numpy().reshape(-1)}
    np.savez_compressed(file, told=np.frombuffer(json.dumps(told).encode(), dtype=np.uint8), **arrays)
    print(file.name, tuple(features.shape), float(np.linalg.norm(arrays["embedding"])), file.stat().st_size)


def weights(golden: Any) -> dict[str, Tensor]:
    """The state dict that the project's code had saved."""
    layout = _told(golden)["weights"]
    return calm({name: torch.zeros(shape, dtype=getattr(torch, dtype)) for name, shape, dtype in layout})


def lay_out(golden: Any, folder: Path, *, weights_name: str) -> Path:
    """The project's folder: its texts and its weights. ReDimNet's options lie within the file of its weights."""
    files = dict(_told(golden)["files"])
    options = files.pop("model_config.json", None)
    state = weights(golden)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / weights_name).parent.mkdir(parents=True, exist_ok=True)
    whole = state if options is None else {"model_config": json.loads(options), "state_dict": state}
    torch.save(whole, folder / weights_name)
    return folder


def _told(golden: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(golden["told"].tobytes())
    return content
