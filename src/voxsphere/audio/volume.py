"""Level normalisation of waves."""

import torch
from jaxtyping import Float
from torch import Tensor


def raise_level(wave: Float[Tensor, "batch samples"], target_dbfs: float) -> Float[Tensor, "batch samples"]:
    """Each wave amplified to a root mean square of `target_dbfs` (dB, full scale = 1) unless it is louder already.

    A silent wave stays silent.
    """
    level = wave.square().mean(1, keepdim=True).clamp_min(torch.finfo(wave.dtype).tiny).sqrt()
    return wave * (10 ** (target_dbfs / 20) / level).clamp_min(1.0)
