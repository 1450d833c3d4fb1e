"""The factorised TDNN (Povey et al. 2018, Semi-orthogonal low-rank matrix factorization for deep neural networks)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.models.layers.convolution import ConvReluNorm
from voxsphere.models.layers.entry import bands

# Layers 2 to 9 of Villalba et al. 2020: the dilations of the three convolutions (1: they see one frame), and
# the layers whose outputs they receive, one beside the other.
_LAYERS: tuple[tuple[tuple[int, int, int], tuple[int, ...]], ...] = (
    ((2, 2, 2), (1,)),
    ((1, 1, 1), (2,)),
    ((3, 3, 2), (3,)),
    ((1, 1, 1), (4, 3)),
    ((3, 3, 2), (5,)),
    ((3, 3, 2), (6, 4, 2)),
    ((3, 3, 2), (7,)),
    ((1, 1, 1), (8, 6, 4)),
)
# Two frames a dilation apart lie beside the middle; over the three convolutions the length is kept.
_PADDINGS = {(1, 1, 1): (0, 0, 0), (2, 2, 2): (1, 1, 1), (3, 3, 2): (2, 1, 1)}


class Ftdnn(nn.Module):
    """A TDNN layer, eight factorised layers with skips and a wide layer of one frame; the length is kept.

    The network of Villalba et al. 2020 (State-of-the-art speaker recognition with neural network embeddings in NIST
    SRE18 and Speakers in the Wild evaluations): the layers are `width` wide with a `bottleneck` between, the
    first `first` and the last `last` wide.

    Two of a layer's three convolutions are kept nearly semi-orthogonal: after each update whose number is a multiple
    of `every`, counted from 1, `after_step` takes each one step nearer. `alpha`, a buffer that `set_dropout` fills,
    is the strength of the continuous dropout in training: each channel of an utterance is multiplied by a number
    drawn from 1 − 2α … 1 + 2α (Povey et al. 2018); it begins at `dropout`, between 0 and 0.5.
    """

    alpha: Tensor

    def __init__(
        self,
        in_dim: int,
        *,
        width: int = 1024,
        bottleneck: int = 256,
        first: int = 512,
        last: int = 2048,
        dropout: float = 0.0,
        every: int = 4,
    ) -> None:
        super().__init__()
        self.in_dim, self.dim, self.every = in_dim, last, every
        self.entry = ConvReluNorm(in_dim, first, kernel=5, padding=2)
        self.blocks = nn.ModuleList(
            _Factorised(first if sources == (1,) else width * len(sources), width, bottleneck, dilations)
            for dilations, sources in _LAYERS
        )
        self.gather = ConvReluNorm(width, last)
        self.register_buffer("alpha", torch.zeros(()))
        self.set_dropout(dropout)

    def forward(self, features: Float[Tensor, "batch frames in_dim"]) -> Float[Tensor, "batch dim frames"]:
        outputs = {1: self.entry(bands(features, self.in_dim))}
        for number, (block, (_, sources)) in enumerate(zip(self.blocks, _LAYERS, strict=True), 2):
            x = torch.cat([outputs[source] for source in sources], dim=1) if len(sources) > 1 else outputs[sources[0]]
            outputs[number] = self._dropped(block(x))
        gathered: Tensor = self.gather(outputs[9])
        return gathered

    def set_dropout(self, alpha: float) -> None:
        """Drop with this strength from now on; `BadInput` outside 0 … 0.5, where channels would change their sign."""
        if not 0 <= alpha <= 0.5:
            raise BadInput(f"the dropout's strength lies between 0 and 0.5, not at {alpha}")
        self.alpha.fill_(alpha)

    def after_step(self, step: int) -> None:
        """Bring the constrained weights nearer to semi-orthogonality, where the update `step` (from 0) asks for it."""
        if (step + 1) % self.every == 0:
            for block in self.blocks:
                assert isinstance(block, _Factorised)
                block.constrain()

    def _dropped(self, x: Float[Tensor, "batch width frames"]) -> Float[Tensor, "batch width frames"]:
        if not self.training:
            return x
        return x * torch.empty_like(x[..., :1]).uniform_(-2, 2).mul(self.alpha).add(1)


class _Factorised(nn.Module):
    """Two semi-orthogonal convolutions into a bottleneck and a free one out of it, then ReLU and batch norm."""

    def __init__(self, in_dim: int, dim: int, bottleneck: int, dilations: tuple[int, int, int]) -> None:
        super().__init__()
        kernel = 1 if dilations == (1, 1, 1) else 2
        paddings = _PADDINGS[dilations]

        def convolution(place: int, wide: int, narrow: int) -> nn.Conv1d:
            return nn.Conv1d(wide, narrow, kernel, dilation=dilations[place], padding=paddings[place], bias=False)

        self.factors = nn.ModuleList((convolution(0, in_dim, bottleneck), convolution(1, bottleneck, bottleneck)))
        self.conv = convolution(2, bottleneck, dim)
        self.norm = nn.BatchNorm1d(dim)
        for weight in self._constrained():
            # Povey et al. 2018: M Mᵀ begins near the identity. (The reference system divides by the
            # number of output channels, on whichever side it lies.)
            nn.init.normal_(weight, std=max(len(weight), weight[0].numel()) ** -0.5)

    def forward(self, x: Float[Tensor, "batch in_dim frames"]) -> Float[Tensor, "batch dim frames"]:
        for factor in self.factors:
            x = factor(x)
        normed: Tensor = self.norm(self.conv(x).relu_())
        return normed

    @torch.no_grad()
    def constrain(self) -> None:
        """One step of the constraint for both factors."""
        for weight in self._constrained():
            weight.copy_(nearer_semi_orthogonal(weight.flatten(1)).view_as(weight))

    def _constrained(self) -> Sequence[Tensor]:
        return [factor.weight for factor in self.factors if isinstance(factor, nn.Conv1d)]


def nearer_semi_orthogonal(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """One step towards M Mᵀ = s² I, or Mᵀ M where M is taller than wide, with the scale s left to float.

    M ← M − 4ν/s² (P − s² I) M with P = M Mᵀ and s² = tr(P Pᵀ) / tr(P) (Povey et al. 2018, eq. 2 to 8). As in Kaldi,
    ν = 1/8 is halved where tr(P Pᵀ) · rows / tr(P)², which is 1 at the goal, is above 1.02, and again above 1.1.
    """
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    product = wide @ wide.T
    trace, square = product.trace(), product.square().sum()  # P is symmetric: tr(P Pᵀ) is the sum of its squares
    ratio = square * len(wide) / trace.square()
    speed = 0.125 * 0.5 ** ((ratio > 1.02).to(wide.dtype) + (ratio > 1.1).to(wide.dtype))
    scale = square / trace
    step = 4 * speed / scale * (product @ wide - scale * wide)
    return matrix - (step.T if matrix.shape[0] > matrix.shape[1] else step)
