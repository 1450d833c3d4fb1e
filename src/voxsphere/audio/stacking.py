"""Several consecutive frames as one, at a lower rate."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.audio.front_end import FrontEnd
from voxsphere.core.errors import BadInput


class Stacked(nn.Module):
    """`count` consecutive frames of another front end side by side, every `every` frames (default: `count`).

    A stack's first features are its first frame's. Frames that fill no stack at the end are dropped. `count=1` takes
    every n-th frame.
    """

    def __init__(self, *, of: Callable[..., FrontEnd], count: int = 2, every: int | None = None) -> None:
        super().__init__()
        self.count, self.every = count, count if every is None else every
        if self.count < 1 or self.every < 1:
            raise BadInput(f"stacks of {self.count} frames every {self.every} frames: both are to be 1 or more")
        self.of = of()
        self.input, self.sample_rate = self.of.input, self.of.sample_rate
        self.dim, self.hop = self.count * self.of.dim, self.every * self.of.hop

    def forward(self, wave: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames dim"]:
        """The stacked features; the wave makes at least `count` frames (`BadInput`)."""
        x = self.of(wave)
        if not torch.compiler.is_compiling() and x.shape[1] < self.count:
            raise BadInput(f"{x.shape[1]} frames are too few to stack {self.count}; record more, or repeat")
        # Indexed rather than unfolded, whose strides an export of any length cannot reason about.
        first = self.every * torch.arange((x.shape[1] - self.count) // self.every + 1, device=x.device)
        return x[:, first[:, None] + torch.arange(self.count, device=x.device)].flatten(2)

    def frames_of(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        return max(0, 1 + (self.of.frames_of(samples) - self.count) // self.every)
