"""Layer adapters: what each layer of a large network knows, brought to a few channels and laid side by side."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.entry import bands


class LayerAdapters(nn.Module):
    """Frames that hold the states of `layers` layers side by side to `width` channels for each, at the same rate.

    Each layer's states go through a linear layer, layer norm, ReLU and a linear layer of their own: the multi-layer
    feature aggregation over w2v-BERT 2.0 (Li et al. 2025, Enhancing speaker verification with w2v-BERT 2.0 and
    knowledge distillation guided structured pruning, arXiv:2510.04213, section 2.2). It stands over
    `SelfSupervised(layers="all")`.
    """

    def __init__(self, in_dim: int, *, layers: int = 25, width: int = 128) -> None:
        super().__init__()
        if layers < 1 or in_dim % layers:
            raise BadInput(f"{in_dim} features a frame do not divide into {layers} layers")
        self.in_dim, self.dim = in_dim, layers * width
        self.adapters = nn.ModuleList(
            nn.Sequential(nn.Linear(in_dim // layers, width), nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, width))
            for _ in range(layers)
        )

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim frames"]:
        states = bands(features, self.in_dim).transpose(1, 2).chunk(len(self.adapters), dim=2)
        adapted = [adapter(state) for adapter, state in zip(self.adapters, states, strict=True)]
        return torch.cat(adapted, dim=2).transpose(1, 2)
