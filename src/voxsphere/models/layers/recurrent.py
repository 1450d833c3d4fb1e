"""Recurrent layers in their weights' own precision."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def heard(lstm: nn.Module, x: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch frames hidden"]:
    """The LSTM's outputs, from states of 0; `lstm` is torch's, batch-first.

    Autocast would compute in bf16 with weights of fp32, for which CPUs have no kernel, and add up a thousand roundings.
    """
    device = x.device.type
    if x.is_meta or not torch.is_autocast_enabled(device):  # shapes alone have no precision
        outputs: Tensor = lstm(x)[0]
        return outputs
    with torch.autocast(device, enabled=False):
        outputs = lstm(x.to(next(lstm.parameters()).dtype))[0]
    return outputs
