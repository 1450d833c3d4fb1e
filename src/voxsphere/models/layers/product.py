"""Matrix products by the faster of the two libraries that PyTorch has for them on a CPU."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from voxsphere.models.layers.folding import plainly_on_cpu

# PyTorch calls oneDNN by this name where it compiles a network.
_ONEDNN = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


_LARGE = 32_000_000  # multiplications; some 0.3 ms


def product(
    x: Float[Tensor, "*rows in_dim"],
    weight: Float[Tensor, "dim in_dim"],
    bias: Float[Tensor, " dim"] | None = None,
    *,
    times: int = 1,
) -> Float[Tensor, "*rows dim"]:
    """`functional.linear`, by oneDNN in evaluation if it is large, or made `times` over with the same sizes.

    PyTorch's own product is MKL's, which on processors other than Intel's leaves their widest registers unused: with
    AVX-512 oneDNN is up to twice as fast there. It prepares itself anew for sizes that it has not seen for a while, as
    those of a corpus' utterances are, and a small product takes no longer than that.
    """
    large = times * x.numel() * len(weight) >= _LARGE
    plain = bias is None or bias.is_contiguous()  # it does not look at how a bias lies in memory
    if _ONEDNN is None or not (large and plain) or x.dtype != torch.float32 or not plainly_on_cpu(x):
        return functional.linear(x, weight, bias)
    result: Tensor = _ONEDNN(x, weight, bias, "none", [], "")
    return result
