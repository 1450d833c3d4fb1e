"""A layer's attention to its channels: the published formula, and what it does to its input."""

import pytest
import torch
from seeded import noise, seeded

from voxsphere.models.layers.attention import ChannelAttention


def attention() -> ChannelAttention:
    made = ChannelAttention(6, squeeze=3)
    made.load_state_dict(seeded(made))
    return made.eval()


@pytest.mark.parametrize("shape", [(2, 6, 9), (2, 6, 4, 5)])
@pytest.mark.parametrize("surroundings", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_each_channel_is_scaled_by_what_the_means_of_all_say(shape, surroundings):
    layer, x = attention(), noise(*shape)
    first, _, second, _ = layer.factors
    factors = (x.flatten(2).mean(2) @ first.weight.T + first.bias).relu() @ second.weight.T + second.bias
    expected = x * factors.sigmoid().reshape(2, 6, *[1] * (len(shape) - 2))
    with surroundings():
        torch.testing.assert_close(layer(x.clone()), expected)


def test_with_gradients_the_input_stays():
    layer, x = attention(), noise(2, 6, 9)
    before = x.clone()
    layer(x)
    assert torch.equal(x, before)


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_a_trace_computes_the_same():
    layer, x = attention(), noise(2, 6, 9)
    traced = torch.jit.trace(layer, (x,))
    with torch.inference_mode():
        torch.testing.assert_close(traced(x.clone()), layer(x.clone()))
