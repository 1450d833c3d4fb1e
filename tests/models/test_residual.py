"""What is particular to today's two-dimensional residual networks."""

import copy
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from presets import REFERENCES
from seeded import noise, seeded
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.eres2net import ERes2Net
from voxsphere.models.encoders.eres2netv2 import ERes2NetV2
from voxsphere.models.encoders.res2net import Res2Net
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.simam_resnet import SimAmResNet, weighed_by_energy
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.fusion import AttentiveFusion
from voxsphere.models.layers.res2 import Res2Block
from voxsphere.pretrained.foreign import three_d_speaker, wespeaker
from voxsphere.pretrained.foreign.renaming import converted

GOLDENS = Path(__file__).parents[1] / "goldens" / "models"
RULES = {
    "resnet34": wespeaker.resnet((3, 4, 6, 3)),
    "resnet50": wespeaker.resnet((3, 4, 6, 3)),
    "resnet34_two_layers": three_d_speaker.resnet(),
    "simam_resnet34": wespeaker.simam_resnet((3, 4, 6, 3)),
    "res2net_wespeaker": wespeaker.res2net((2, 1, 2, 1)),
    "res2net_3dspeaker": wespeaker.res2net((2, 1, 2, 1)),
    "eres2net_wespeaker": wespeaker.eres2net(),
    "eres2net_aug_wespeaker": wespeaker.eres2net(),
    "eres2net_3dspeaker": three_d_speaker.eres2net(),
    "eres2net_huge_3dspeaker": three_d_speaker.eres2net(),
    "eres2netv2": three_d_speaker.eres2netv2(),
    "eres2netv2_w24s4ep4": three_d_speaker.eres2netv2(),
}


@pytest.mark.parametrize("name", RULES)
def test_each_weight_of_a_reference_becomes_one_of_ours(name):
    names = [str(theirs) for theirs in np.load(GOLDENS / f"{name}.npz")["names"]]
    ours = dict.fromkeys(REFERENCES[name]().state_dict(), ())
    assert set(converted(dict.fromkeys(names, torch.zeros(())), RULES[name], ours, where="golden")) == set(ours)
    assert len(names) == len(ours)


def loaded(module: nn.Module) -> nn.Module:
    module.load_state_dict(seeded(module))
    return module.eval()


def folded_layer() -> ConvNorm2d:
    return loaded(ConvNorm2d(3, 5, kernel=3, bias=True))


def apart(layer: ConvNorm2d, x: torch.Tensor) -> torch.Tensor:
    return layer.norm(layer.conv(x))


def by_an_optimiser(layer: ConvNorm2d) -> None:
    with torch.enable_grad():
        optimizer = torch.optim.SGD(layer.parameters(), lr=1e-3)
        layer(noise(2, 3, 9, 11)).square().mean().backward()
    optimizer.step()


def by_training(layer: ConvNorm2d) -> None:
    layer.train()(noise(2, 3, 9, 11, seed=1))
    layer.eval()


def by_loading(layer: ConvNorm2d) -> None:
    layer.load_state_dict({name: 2 * value for name, value in layer.state_dict().items()})


def by_assigning(layer: ConvNorm2d) -> None:
    layer.load_state_dict({name: 2 * value for name, value in layer.state_dict().items()}, assign=True)


def by_another_parameter(layer: ConvNorm2d) -> None:
    layer.norm.weight = nn.Parameter(2 * layer.norm.weight)


@pytest.mark.parametrize("change", [by_an_optimiser, by_training, by_loading, by_assigning, by_another_parameter])
def test_folded_weights_follow_a_change_of_the_weights(change):
    layer, x = folded_layer(), noise(2, 3, 9, 11)
    with torch.no_grad():
        before = layer(x)
        change(layer)
        assert not torch.allclose(layer(x), before)
        torch.testing.assert_close(layer(x), apart(layer, x), rtol=1e-5, atol=1e-5)


def test_folded_weights_follow_a_change_of_precision():
    layer, x = folded_layer(), noise(2, 3, 9, 11)
    with torch.inference_mode():
        layer(x)
        assert layer.double()(x.double()).dtype == torch.float64
        torch.testing.assert_close(layer(x.double()), apart(layer, x.double()))


def test_a_copy_folds_its_own_weights():
    layer, x = folded_layer(), noise(2, 3, 9, 11)
    with torch.inference_mode():
        layer(x)
        another = copy.deepcopy(layer)
        by_loading(another)
        torch.testing.assert_close(another(x), apart(another, x))
        torch.testing.assert_close(layer(x), apart(layer, x))


def test_weights_are_folded_once_and_never_where_a_gradient_is_asked_for(monkeypatch):
    layer, x = folded_layer(), noise(2, 3, 9, 11)
    count = []
    fold = layer._fold
    monkeypatch.setattr(layer, "_fold", lambda image: count.append(1) or fold(image))
    with torch.inference_mode():
        layer(x)
        layer(x)
    assert len(count) == 1
    layer(x).sum().backward()
    assert len(count) == 2
    assert all(parameter.grad is not None for parameter in layer.parameters())


def test_simam_weighs_each_value_by_its_distance_from_the_rest_of_its_channel():
    """The loops of the paper, in float64; the variance is unbiased."""
    x = noise(2, 3, 4, 5).double()
    expected = torch.empty_like(x)
    for image, channel in itertools.product(range(2), range(3)):
        values = x[image, channel].flatten().tolist()
        mean = sum(values) / 20
        variance = sum((value - mean) ** 2 for value in values) / 19
        weighed = [v / (1 + math.exp(-((v - mean) ** 2 / (4 * (variance + 0.01)) + 0.5))) for v in values]
        expected[image, channel] = torch.tensor(weighed, dtype=torch.float64).reshape(4, 5)
    torch.testing.assert_close(weighed_by_energy(x, 0.01), expected)
    assert torch.autograd.gradcheck(lambda x: weighed_by_energy(x, 0.01), x.requires_grad_())


def test_simam_gives_a_constant_image_one_weight_and_takes_a_single_pixel():
    constant = torch.full((1, 2, 4, 5), 3.0)
    torch.testing.assert_close(weighed_by_energy(constant, 1e-4), 3 * torch.tensor(0.5).sigmoid().expand(1, 2, 4, 5))
    assert weighed_by_energy(constant[..., :1, :1], 1e-4).isfinite().all()


def test_a_simam_resnet_of_no_known_depth_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="34, 100"):
        SimAmResNet(80, depth=50)


def test_a_fusion_shares_twice_the_whole_between_two_images():
    fusion = loaded(AttentiveFusion(8))
    x, y = noise(2, 8, 3, 5, seed=1), noise(2, 8, 3, 5, seed=2)
    hidden = apart(fusion.hidden, torch.cat([x, y], dim=1))
    share = apart(fusion.factor, hidden * hidden.sigmoid()).tanh()
    torch.testing.assert_close(fusion(x, y), (1 + share) * x + (1 - share) * y, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(fusion(x, x), 2 * x)


@pytest.mark.parametrize(("passes", "attends"), [(True, False), (False, False), (False, True)])
def test_each_group_of_a_res2_block_is_joined_with_the_result_before_it(passes, attends):
    block = loaded(Res2Block(8, 16, base_width=16, scale=3, passes=passes, attends=attends))
    x = 5 * noise(2, 8, 6, 7)
    first, second, third = apart(block.first, x).clamp(0, 20).chunk(3, dim=1)
    outputs = [apart(block.groups[0], first).clamp(0, 20)]
    for i, part in enumerate([second] if passes else [second, third]):
        joined = block.fusions[i](outputs[-1], part) if attends else outputs[-1] + part
        outputs.append(apart(block.groups[i + 1], joined).clamp(0, 20))
    whole = torch.cat([*outputs, *([third] if passes else [])], dim=1)
    expected = (apart(block.third, whole) + apart(block.shortcut, x)).clamp(0, 20)
    torch.testing.assert_close(block(x), expected, rtol=1e-4, atol=1e-4)
    assert expected.max() == 20  # the clipping is put to the test


def test_eres2net_fuses_each_stage_with_all_before_it():
    encoder = loaded(ERes2Net(20, width=4, blocks=(1, 1, 1, 1)))
    features = noise(2, 30, 20)
    outputs = [encoder.first(features.transpose(1, 2)[:, None]).relu()]
    for stage in encoder.stages:
        outputs.append(stage(outputs[-1]))
    fused = outputs[1]
    for i in range(3):
        fused = encoder.fuse[i](outputs[i + 2], encoder.halve[i](fused))
    assert fused.shape == (2, 64, 3, 4)
    torch.testing.assert_close(encoder(features), fused.flatten(1, 2), rtol=1e-4, atol=1e-4)


def test_eres2netv2_fuses_the_last_two_stages_alone():
    encoder = loaded(ERes2NetV2(20, width=4, blocks=(1, 1, 1, 1)))
    features = noise(2, 30, 20)
    x = encoder.first(features.transpose(1, 2)[:, None]).relu()
    for stage in encoder.stages[:3]:
        x = stage(x)
    fused = encoder.fuse(encoder.stages[3](x), encoder.halve(x))
    torch.testing.assert_close(encoder(features), fused.flatten(1, 2), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", [ResNet, SimAmResNet, Res2Net, ERes2Net, ERes2NetV2])
def test_an_eighth_of_bands_and_frames_is_left_rounded_up(network):
    for in_dim, frames in ((80, 8), (81, 9), (7, 1), (24, 63)):
        encoder = network(in_dim, width=4).eval()
        assert encoder(noise(1, frames, in_dim)).shape == (1, encoder.dim, -(-frames // 8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks": (3, 4, 6)}, "4 stages"),
        ({"blocks": (3, 4, 0, 3)}, "at least one block"),
        ({"scale": 1}, "in 1 groups"),
        ({"width": 1}, "at least 1 channel"),
    ],
)
@pytest.mark.parametrize("network", [Res2Net, ERes2Net, ERes2NetV2])
def test_a_form_that_makes_no_network_is_refused(network, options, message):
    with pytest.raises(BadInput, match=message):
        network(80, **options)
