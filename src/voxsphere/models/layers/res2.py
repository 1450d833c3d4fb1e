"""The residual block of two-dimensional Res2Nets."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.fusion import AttentiveFusion
from voxsphere.models.layers.residual import shortcut


class Res2Block(nn.Module):
    """1×1, grouped 3×3 and 1×1 convolutions and a shortcut (Gao et al. 2019, Res2Net, arXiv:1904.01169, fig. 2).

    Between the 1×1 convolutions lie `scale` groups of width·base_width/64 channels. Each group is joined with the
    result of the one before and then convolved: by a sum, or with `attends` by an `AttentiveFusion` of the two (Chen et
    al. 2023, ERes2Net, arXiv:2305.12838, section 2.2). With `passes`, the last group goes on as it is: the paper lets
    the first pass, WeSpeaker and 3D-Speaker the last. The output is `expansion` times as wide as `width`. Activations
    are clipped to 0 … `clip`.
    """

    def __init__(
        self,
        in_dim: int,
        width: int,
        *,
        stride: tuple[int, int] = (1, 1),
        base_width: int = 32,
        scale: int = 2,
        expansion: int = 2,
        clip: float = 20.0,
        passes: bool = False,
        attends: bool = False,
    ) -> None:
        super().__init__()
        group = width * base_width // 64
        if group < 1 or scale < 2:
            raise BadInput(f"width {width}·{base_width}/64 in {scale} groups: at least 1 channel in 2 groups is needed")
        self.group, self.clip, self.passes = group, clip, passes
        self.first = ConvNorm2d(in_dim, group * scale, kernel=1, stride=stride)
        self.groups = nn.ModuleList(ConvNorm2d(group, group, kernel=3) for _ in range(scale - passes))
        self.fusions = nn.ModuleList(AttentiveFusion(group) for _ in range(scale - 1 - passes)) if attends else None
        self.third = ConvNorm2d(group * scale, expansion * width, kernel=1)
        self.shortcut = shortcut(in_dim, expansion * width, stride)

    def forward(self, x: Float[Tensor, "batch in_dim rows columns"]) -> Float[Tensor, "batch dim out_rows out_columns"]:
        parts = torch.split(self._clipped(self.first(x)), self.group, dim=1)
        outputs: list[Tensor] = []
        for i, convolve in enumerate(self.groups):
            joined = self._joined(outputs[-1], parts[i], i - 1) if outputs else parts[i]
            outputs.append(self._clipped(convolve(joined)))
        if self.passes:
            outputs.append(parts[-1])
        return self._clipped(self.third(torch.cat(outputs, dim=1), added=self.shortcut(x)))

    def _joined(self, before: Tensor, part: Tensor, place: int) -> Tensor:
        joined: Tensor = before + part if self.fusions is None else self.fusions[place](before, part)
        return joined

    def _clipped(self, x: Tensor) -> Tensor:
        return functional.hardtanh_(x, 0.0, self.clip)
