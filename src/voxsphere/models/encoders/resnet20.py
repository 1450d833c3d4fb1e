"""ResNet-20 without batch norm (Hajibabaei & Dai 2018, Unified hypersphere embedding, arXiv:1807.08312)."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.models.layers.entry import image, rows_of


class ResNet20(nn.Module):
    """Stages of a strided 3×3 convolution and units of two more with an identity around them; PReLU after each.

    Stage i is `width` · 2^i channels wide, halves bands and frames and has `units[i]` units. Nothing is normalised and
    nothing follows a sum: from 257 bands and 300 frames remain 17 and 19, and every band keeps its place (folded into
    `dim`, channel by channel: 8,704), so that the mean over time is what the paper pools by. `channels=3` takes
    features with deltas, [static, Δ, ΔΔ], as an image of three.

    Everything begins as in the paper's Caffe files: strided convolutions uniform within ±√(3 / inputs), with biases of
    0; the units' normal with a deviation of 0.01, so that a stage begins close to its strided convolution; slopes of
    0.25. There the units have biases too, held at 0 (3,712 of them): they are not here. Biases learn at twice the rate
    and do not decay.
    """

    def __init__(self, in_dim: int, *, units: Sequence[int] = (1, 2, 4, 1), width: int = 64, channels: int = 1) -> None:
        super().__init__()
        self.in_dim, self.channels = in_dim, channels
        stages: list[nn.Module] = []
        dim, rows = channels, rows_of(in_dim, channels)
        for i, count in enumerate(units):
            entry = nn.Conv2d(dim, width << i, 3, stride=2, padding=1)
            nn.init.kaiming_uniform_(entry.weight, nonlinearity="linear")
            assert entry.bias is not None
            nn.init.zeros_(entry.bias)
            dim, rows = width << i, (rows + 1) // 2
            stages += [entry, nn.PReLU(dim), *(_Unit(dim) for _ in range(count))]
        self.stages = nn.Sequential(*stages)
        self.dim = dim * rows

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim out_frames"]:
        frames: Tensor = self.stages(image(features, self.in_dim, self.channels))
        return frames.flatten(1, 2)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The biases, at twice the rate and without decay."""
        biases = [layer.bias for layer in self.stages if isinstance(layer, nn.Conv2d)]
        return [{"params": biases, "rate": 2.0, "weight_decay": 0.0}]


class _Unit(nn.Module):
    """Two convolutions, each with its PReLU, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for _ in range(2):
            conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
            nn.init.normal_(conv.weight, std=0.01)
            self.layers.extend([conv, nn.PReLU(width)])

    def forward(self, x: Float[Tensor, "batch width rows columns"]) -> Float[Tensor, "batch width rows columns"]:
        added: Tensor = x + self.layers(x)
        return added
