"""A dense layer over a few consecutive frames (deep-speaker v2)."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.entry import bands

_ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


class StackedDense(nn.Module):
    """`dim` numbers for each stack of `stack` frames, one every `step` frames: 39 · 10 = 390 → 200 by default.

    A frame-level model: each stack that comes out is embedded and classified for itself, and an utterance by the sum
    over its stacks of `head.logits(frames).log_softmax`. The stacking is part of the layer, so the front end gives
    single frames (39 coefficients: 13 cepstra, Δ and ΔΔ) and a stack is flattened coefficient by coefficient, as in the
    original. Features that are stacked already are taken with `stack=1, step=1`.

    The original derives each frame alone, so that its Δ and ΔΔ are always zero, and scales a speaker's frames, in tests
    too, by that speaker's own mean and deviation. Neither is followed: `Deltas` looks along the utterance, and nothing
    here knows who speaks.

    The sigmoid is the original's, and keeps all embeddings at acute angles; its author would take "tanh" today. What is
    left over at the end is not looked at.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        dim: int = 200,
        stack: int = 10,
        step: int = 3,
        activation: Literal["sigmoid", "tanh"] = "sigmoid",
    ) -> None:
        super().__init__()
        if activation not in _ACTIVATIONS:
            raise BadInput(f"no activation {activation!r}; there are: {', '.join(_ACTIVATIONS)}")
        if stack < 1 or step < 1:
            raise BadInput(f"stacks of {stack} frames every {step} frames: both are to be 1 or more")
        self.in_dim, self.dim, self.stack, self.step = in_dim, dim, stack, step
        self.dense = nn.Linear(in_dim * stack, dim)
        self.activation = _ACTIVATIONS[activation]()

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim stacks"]:
        stacks = bands(features, self.in_dim, shortest=self.stack).unfold(2, self.stack, self.step)
        embedded: Tensor = self.activation(self.dense(stacks.transpose(1, 2).flatten(2)))
        return embedded.transpose(1, 2)
