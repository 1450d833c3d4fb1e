"""Matrix products by the faster of the two libraries that PyTorch has for them on a CPU."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from voxsphere.models.layers.folding import plainly_on_cpu

# PyTorch calls oneDNN by this name where it compiles a network.
_ONEDNN = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def product(
    x: Float[Tensor, "*rows in_dim"], weight: Float[Tensor, "dim in_dim"], bias: Float[Tensor, " dim"] | None = None
) -> Float[Tensor, "*rows dim"]:
    """`functional.linear`, in evaluation by oneDNN.

    PyTorch's own product is MKL's, which on processors other than Intel's leaves their widest registers unused: with
    AVX-512 oneDNN is up to twice as fast there, and on none is it slower for products of this size.
    """
    if _ONEDNN is None or x.dtype != torch.float32 or not plainly_on_cpu(x):
        return functional.linear(x, weight, bias)
    result: Tensor = _ONEDNN(x, weight, bias, "none", [], "")
    return result
