"""Mean and standard deviation of the frames' maxima."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.poolings.statistics import statistics
from voxsphere.models.poolings.weights import WeightedPooling, shares


class MaxStatsPooling(WeightedPooling):
    """Mean and biased standard deviation of the maximum over a sliding window ("MSTAP" of SpeakerVerifiaction-pytorch).

    The window is `window` frames long, an odd number, centred on each frame in turn; at the edges and around frames of
    weight 0 it holds the frames there are. A frame of any weight above 0 is a candidate for the maximum, so the result
    jumps where a weight becomes 0: probabilities of speech want a threshold. `floor` is added to the variance.
    """

    def __init__(self, in_dim: int, *, window: int = 5, floor: float = 1e-12) -> None:
        super().__init__()
        if window < 1 or window % 2 == 0:
            raise BadInput(f"the window is an odd number of frames, 1 or more, not {window}")
        self.in_dim, self.dim = in_dim, 2 * in_dim
        self.window, self.floor = window, floor

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        unheard = None if weight is None else (weight == 0)[:, None]
        if unheard is not None:
            frames = frames.masked_fill(unheard, -torch.inf)
        maxima = functional.max_pool1d(frames, self.window, stride=1, padding=self.window // 2)
        if unheard is not None:
            maxima = maxima.masked_fill(unheard, 0)
        return torch.cat(statistics(maxima, shares(maxima, weight), unbiased=False, floor=self.floor), dim=1)
