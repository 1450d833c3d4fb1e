"""Residuals to learnt clusters, at unit length."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.poolings.residuals import residuals
from voxsphere.models.poolings.weights import WeightedPooling


class NetVladPooling(WeightedPooling):
    """NetVLAD (Arandjelović et al. 2016, NetVLAD: CNN architecture for weakly supervised place recognition, CVPR,
    equation 4), and with `ghosts` GhostVLAD (Zhong et al. 2018, GhostVLAD for set-based face recognition); over the
    frames of an utterance as in Xie et al. 2019, Utterance-level aggregation for speaker recognition in the wild,
    equation 1.

    A frame is dealt out to the `clusters` and ghosts by a = softmax over them of W h + b. V_k = Σ_t a_k (h − c_k) is
    brought to unit length cluster by cluster, and all of them together once more. What goes to the ghosts is left out:
    noise may go there. Three GhostVLADs of SpeakerVerifiaction-pytorch, none of which sums over time, are replaced by
    this one.
    """

    def __init__(self, in_dim: int, *, clusters: int = 8, ghosts: int = 0) -> None:
        super().__init__()
        if clusters < 1 or ghosts < 0:
            raise BadInput(f"{clusters} clusters and {ghosts} ghosts: take 1 cluster or more, and 0 ghosts or more")
        self.in_dim, self.dim = in_dim, clusters * in_dim
        self.assign = nn.Conv1d(in_dim, clusters + ghosts, 1)
        self.centres = nn.Parameter(torch.empty(clusters, in_dim))
        nn.init.orthogonal_(self.assign.weight)
        nn.init.orthogonal_(self.centres)

    def _pool(
        self, frames: Float[Tensor, "batch in_dim frames"], weight: Float[Tensor, "batch frames"] | None
    ) -> Float[Tensor, "batch dim"]:
        belongs = self.assign(frames).softmax(1)[:, : len(self.centres)]
        each = functional.normalize(residuals(frames, belongs, self.centres, weight), dim=-1)
        return functional.normalize(each.flatten(1), dim=-1)
