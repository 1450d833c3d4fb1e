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


BIASES = {"bias": BIAS, "none": None, "every second number": torch.stack([BIAS, BIAS + 1], dim=1)[:, 0]}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("surroundings", [torch.inference_mode, torch.no_grad, torch.enable_grad])
@pytest.mark.parametrize("large", [0, 10**9], ids=["large", "small"])
def test_it_is_the_usual_product(layout, bias, surroundings, large, monkeypatch):
    monkeypatch.setattr(module, "_LARGE", large)
    x, bias = LAYOUTS[layout], BIASES[bias]
    with surroundings():
        torch.testing.assert_close(product(x, WEIGHT, bias), functional.linear(x, WEIGHT, bias), rtol=1e-5, atol=1e-5)


def test_only_large_products_are_prepared_for(monkeypatch):
    sizes = []
    monkeypatch.setattr(module, "_ONEDNN", lambda x, *rest: sizes.append(len(x)) or functional.linear(x, rest[0]))
    small, large, weight = torch.ones(100, 64), torch.ones(8000, 64), torch.ones(64, 64)
    with torch.inference_mode():
        product(small, weight)
        product(small, weight, times=80)
        product(large, weight)
    assert sizes == [100, 8000]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_the_usual_product_to_the_bit(dtype, monkeypatch):
    monkeypatch.setattr(module, "_LARGE", 0)
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
