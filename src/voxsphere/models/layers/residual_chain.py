"""A residual block of any layers."""

from jaxtyping import Float
from torch import Tensor, nn


class ResidualChain(nn.Module):
    """Layers one after the other, an activation between them, and a shortcut around them all.

    The activation follows each layer but the last, and then the sum; it may work in place. The sum does, in what the
    last layer gives: that must be a value of its own, and not one that its gradient is computed from.
    """

    def __init__(self, *layers: nn.Module, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.shortcut, self.activation = shortcut, activation

    def forward(self, x: Float[Tensor, "batch in_dim rows columns"]) -> Float[Tensor, "batch dim out_rows out_columns"]:
        *between, last = self.layers
        y = x
        for layer in between:
            y = self.activation(layer(y))
        added: Tensor = self.activation(last(y).add_(self.shortcut(x)))
        return added
