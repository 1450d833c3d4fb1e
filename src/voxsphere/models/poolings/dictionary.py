"""How the frames lie around a learnt dictionary."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.poolings.residuals import residuals
from voxsphere.models.poolings.weights import WeightedPooling


class LearnableDictionaryPooling(WeightedPooling):
    """The frames' mean deviation from each of `components` learnt centres (LDE: Cai et al. 2018, Exploring the encoding
    layer and loss function in end-to-end speaker and language recognition system, section 2.4).

    A frame belongs to centre c by w = softmax over the centres of −s_c‖h − μ_c‖², s_c learnt; the output holds, centre
    by centre, the mean over time of w (h − μ_c): the paper divides by the number of frames, not by the sum of w. s
    begins at 1/in_dim, so that the first distances are of the order of 1.
    """

    def __init__(self, in_dim: int, *, components: int = 64) -> None:
        super().__init__()
        if components < 1:
            raise BadInput(f"a dictionary has 1 component or more, not {components}")
        self.in_dim, self.dim = in_dim, components * in_dim
        self.centres = nn.Parameter(torch.randn(components, in_dim))
        self.scale = nn.Parameter(torch.full((components,), 1 / in_dim))

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        # ‖h − μ‖² = ‖h‖² − 2 hᵀμ + ‖μ‖²: one matrix product instead of a difference for every frame and centre.
        lengths = frames.square().sum(1, keepdim=True) + self.centres.square().sum(1)[:, None]
        distance = lengths - 2 * (self.centres @ frames)
        belongs = (-self.scale[:, None] * distance).softmax(1)
        return residuals(frames, belongs, self.centres, weight).flatten(1)
