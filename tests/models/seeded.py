"""Weights that depend on their names alone, so that a golden needs to hold none."""

import zlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn


def seeded(model: nn.Module) -> dict[str, Tensor]:
    """A state for `model`: each tensor is drawn from a generator seeded by its name, at a scale that keeps signals."""
    learnt, state = {name for name, _ in model.named_parameters()}, model.state_dict()
    # A number by itself that is not learnt is a setting, such as the strength of a dropout.
    settings = {name: value.clone() for name, value in state.items() if value.ndim == 0 and name not in learnt}
    return {**seeded_state(state), **settings}


def seeded_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same for the names, shapes and types of a state."""
    return {name: _draw(name, value) for name, value in state.items()}


def filled(module: nn.Module) -> nn.Module:
    """The module in evaluation mode, with seeded weights and without gradients."""
    module.load_state_dict(seeded(module))
    return module.eval().requires_grad_(False)


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers, the same on every machine."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def _draw(name: str, value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value.clone()
    drawn = torch.from_numpy(np.random.default_rng(zlib.crc32(name.encode())).standard_normal(tuple(value.shape)))
    if value.ndim > 1:
        drawn = drawn * (2 / value[0].numel()) ** 0.5
    elif name.endswith("running_var") or (name.endswith("weight")):
        drawn = 1 + 0.2 * drawn.tanh()
    else:
        drawn = 0.1 * drawn
    return drawn.to(value.dtype)


def vowel(seconds: float) -> np.ndarray:
    """An int16 wave at 16 kHz: harmonics of a pitch that wanders around 120 Hz, swelling and fading, in noise."""
    time = np.arange(round(seconds * 16000)) / 16000
    phase = 2 * np.pi * (120 * time + 3 * np.sin(2 * np.pi * 1.7 * time))
    voice = sum(np.sin(k * phase) / (1 + abs(k - 5 - 3 * np.sin(2 * np.pi * 0.9 * time))) for k in range(1, 30))
    random = np.random.default_rng(1)
    wave = 0.05 * voice * (0.6 + 0.4 * np.sin(2 * np.pi * 2.3 * time)) + 0.003 * random.standard_normal(len(time))
    return (32768 * wave).clip(-32768, 32767).astype(np.int16)
