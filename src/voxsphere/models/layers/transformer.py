"""A transformer's encoder layer that norms after each sum."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class TransformerLayer(nn.Module):
    """Attention of all frames to all, then two linear layers with GELU (tanh form); each is added and normed.

    Source: Vaswani et al. 2017, Attention is all you need, section 3.1; no positions, no dropout.
    """

    def __init__(self, width: int, *, hidden: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.attention_norm = nn.LayerNorm(width, eps=1e-6)
        self.feed = nn.Sequential(nn.Linear(width, hidden), nn.GELU("tanh"), nn.Linear(hidden, width))
        self.feed_norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch frames width"]:
        split = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(*split)
        x = self.attention_norm(x + self.out(seen.transpose(1, 2).flatten(2)))
        normed: Tensor = self.feed_norm(x + self.feed(x))
        return normed
