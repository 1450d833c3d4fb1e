import copy

import pytest
import torch
from seeded import filled, noise
from torch.nn import functional

from voxsphere.models.layers import winograd
from voxsphere.models.layers.convolution import ConvNorm2d


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("size", [(4, 4), (1, 1), (5, 7), (10, 38), (7, 2)])
def test_tiles_give_the_direct_convolution(size):
    x, weight, bias = noise(3, 5, *size).double(), noise(6, 5, 3, 3).double(), noise(6).double()
    direct = functional.conv2d(x, weight, bias, padding=1)
    assert relative(winograd.convolved(x, winograd.transformed(weight), bias), direct) < 1e-14
    singly = winograd.convolved(x.float(), winograd.transformed(weight.float()), bias.float())
    assert relative(singly, direct) < 5e-6


def test_a_wide_layer_on_one_thread_goes_through_tiles_and_gives_the_same(one_thread, monkeypatch):
    layer = filled(ConvNorm2d(winograd.WIDE, winograd.WIDE, kernel=3))
    x = noise(2, winograd.WIDE, 27, 28).contiguous(memory_format=torch.channels_last)
    recorded = layer(x, added=x.clone(), relu=True).detach()  # gradients are asked for: no tiles
    calls = []
    convolved = winograd.convolved
    monkeypatch.setattr(winograd, "convolved", lambda *given: calls.append(1) or convolved(*given))
    with torch.inference_mode():
        tiled = layer(x, added=x.clone(), relu=True)
        assert calls == [1]
        torch.set_num_threads(2)
        assert relative(layer(x, added=x.clone(), relu=True), tiled) < 5e-6
        torch.set_num_threads(1)
        layer(x[:, :, :4])  # a small image
        layer(x.repeat(1, 1, 1, 6)[:, :, :5])  # a large one, of which tiles would cover much more
        assert calls == [1]
    assert relative(tiled, recorded) < 5e-6


def test_the_weights_in_tiles_follow_the_layers_own(one_thread):
    layer = filled(ConvNorm2d(winograd.WIDE, winograd.WIDE, kernel=3))
    x = noise(1, winograd.WIDE, 27, 28).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        before = layer(x)
        layer.conv.weight.mul_(2)
        layer.norm.running_mean.zero_()
        fresh = copy.deepcopy(layer)
        assert relative(layer(x), fresh(x)) < 1e-6
        assert relative(layer(x), before) > 0.1
