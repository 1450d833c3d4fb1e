"""The matrix product in evaluation is the usual one, whatever the memory it reads from, and learns as that."""

import pytest
import torch
from seeded import noise
from torch.nn import functional

from voxsphere.models.layers import product as module
from voxsphere.models.layers.product import product

X, WEIGHT, BIAS = noise(2, 33, 24), noise(40, 24, seed=1), noise(40, seed=2)
LAYOUTS = {
    "rows side by side": X,
    "channels side by side": X.mT.contiguous().mT,
    "part of a wider tensor": torch.cat([X, X], dim=2)[..., 24:],
    "every second row": torch.cat([X, X], dim=1)[:, ::2],
    "one row": X[:1, 0],
    "no rows": X[:, :0],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bias", [BIAS, None], ids=["bias", "none"])
@pytest.mark.parametrize("surroundings", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_it_is_the_usual_product(layout, bias, surroundings):
    x = LAYOUTS[layout]
    with surroundings():
        torch.testing.assert_close(product(x, WEIGHT, bias), functional.linear(x, WEIGHT, bias), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_the_usual_product_to_the_bit(dtype):
    x, weight = X.to(dtype), WEIGHT.to(dtype)
    with torch.inference_mode():
        assert torch.equal(product(x, weight), functional.linear(x, weight))


def test_without_the_library_it_is_the_usual_product_to_the_bit(monkeypatch):
    monkeypatch.setattr(module, "_ONEDNN", None)
    with torch.inference_mode():
        assert torch.equal(product(X, WEIGHT, BIAS), functional.linear(X, WEIGHT, BIAS))


def test_gradients_pass():
    weight = WEIGHT.clone().requires_grad_()
    product(X, weight, BIAS).sum().backward()
    torch.testing.assert_close(weight.grad, X.sum((0, 1)).expand(40, 24))
