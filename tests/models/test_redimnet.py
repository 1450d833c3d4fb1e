"""ReDimNet and ReDimNet2: sums of all earlier outputs, one volume seen as image and as sequence, strides over time."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from presets import REFERENCES, SMALL
from seeded import noise, seeded
from torch import nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.redimnet import ReDimNet
from voxsphere.models.encoders.redimnet2 import ReDimNet2
from voxsphere.models.layers.group_norm import WideGroupNorm
from voxsphere.models.layers.maps import WeightedSum, convolved, strided
from voxsphere.models.layers.transformer import TransformerLayer
from voxsphere.pretrained.foreign.redimnet import redimnet, redimnet2, redimnet_of_wespeaker
from voxsphere.pretrained.foreign.renaming import renamed

GOLDENS = Path(__file__).parents[1] / "goldens" / "models"
PLAIN = {"channels": 2, "stages": (((2, 1), 1, 1, None), ((1, 2), 1, 1, None), ((1, 2), 1, 1, None))}


def encoder(cls: type[nn.Module], **options: object) -> nn.Module:
    network = cls(8, **options)
    network.load_state_dict(seeded(network))
    return network.eval()


def as_image(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 2, 1)  # frames bands channels -> channels bands frames


def test_a_map_is_convolved_as_an_image_of_bands_and_frames_would_be():
    x, weight, bias = noise(2, 9, 6, 4), noise(8, 2, 3, 5, seed=1), noise(8, seed=2)
    expected = functional.conv2d(as_image(x), weight, bias, padding=(1, 2), groups=2)
    torch.testing.assert_close(as_image(convolved(x, weight, bias, groups=2)), expected)
    assert convolved(x, weight, bias, groups=2).is_contiguous()


@pytest.mark.parametrize(("kernel", "groups"), [((2, 1), 1), ((3, 1), 4), ((2, 3), 1), ((1, 3), 4)])
def test_a_map_is_strided_as_an_image_of_bands_and_frames_would_be(kernel, groups):
    x, weight, bias = noise(2, 9, 6, 4), noise(8, 4 // groups, *kernel, seed=1), noise(8, seed=2)
    expected = functional.conv2d(as_image(x), weight, bias, stride=kernel, groups=groups)
    torch.testing.assert_close(as_image(strided(x, weight, bias, groups=groups)), expected)


def test_outputs_of_several_rates_are_summed_under_shares_that_begin_equal():
    rates = (1, 4, 2, 1, 2)
    outputs = [noise(2, 12 // rate, 5, seed=i) for i, rate in enumerate(rates)]
    spread = torch.stack([output.repeat_interleave(rate, dim=1) for output, rate in zip(outputs, rates, strict=True)])
    total = WeightedSum(rates, 5)
    torch.testing.assert_close(total(outputs), spread.mean(0))
    weight = noise(5, 5, seed=9)
    total.load_state_dict({"weight": weight})
    shares = weight.exp() / weight.exp().sum(0)
    torch.testing.assert_close(total(outputs), (shares[:, None, None] * spread).sum(0))


@pytest.mark.parametrize("name", [name for name in SMALL if name.startswith("ReDimNet")])
def test_what_is_folded_in_evaluation_changes_no_output(name):
    folded = SMALL[name]().double()
    folded.load_state_dict(seeded(folded))
    for norm in _batch_norms(folded):
        norm.weight.data[::2] *= -1  # a fold may not rely on scales above 0
    features = folded.eval().features(0.1 * noise(2, 8000).double())
    whole = folded.encoder(features)
    folded.train()
    for norm in _batch_norms(folded):
        norm.eval()
    torch.testing.assert_close(folded.encoder(features), whole, rtol=1e-9, atol=1e-9)


def _batch_norms(model: nn.Module) -> list[nn.BatchNorm1d | nn.BatchNorm2d]:
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]


def test_attention_is_that_of_the_formula_head_by_head():
    layer = TransformerLayer(8, hidden=12, heads=4).double()
    layer.load_state_dict(seeded(layer))
    x = noise(1, 5, 8).double()
    heads = []
    for i in range(4):
        query, key, value = (part(x[0])[:, 2 * i : 2 * i + 2] for part in (layer.query, layer.key, layer.value))
        score = torch.stack([torch.stack([q @ k / 2**0.5 for k in key]) for q in query])
        heads.append(score.softmax(1) @ value)
    summed = layer.attention_norm(x[0] + layer.out(torch.cat(heads, dim=1)))
    torch.testing.assert_close(layer(x)[0], layer.feed_norm(summed + layer.feed(summed)), rtol=1e-6, atol=1e-6)


def test_group_norm_of_a_sequence_is_torchs():
    ours, theirs = WideGroupNorm(3, 4), nn.GroupNorm(3, 12)
    ours.load_state_dict(seeded(ours))
    theirs.load_state_dict(seeded(theirs))
    x = noise(2, 7, 12)
    torch.testing.assert_close(ours(x), theirs(x.transpose(1, 2)).transpose(1, 2), rtol=1e-5, atol=1e-5)


def test_frames_that_do_not_fill_the_last_rate_are_dropped():
    network, features = encoder(ReDimNet2, **PLAIN), noise(1, 15, 8)
    assert network(features).shape == (1, 16, 12)
    torch.testing.assert_close(network(features), network(features[:, :12]))
    with pytest.raises(BadInput, match=r"^3 frames are too few: the network looks at 4 at once"):
        network(features[:, :3])


def test_an_image_is_folded_channel_by_channel_and_a_sequence_band_by_band():
    image, sequence = (encoder(ReDimNet2, **PLAIN, image=image) for image in (True, False))
    features = noise(1, 12, 8)
    by_band = sequence(features).unflatten(1, (4, 4))  # four bands are left, of four channels
    torch.testing.assert_close(image(features).unflatten(1, (4, 4)), by_band.transpose(1, 2))


def test_a_last_layer_sees_each_band_of_an_image_alone():
    network = encoder(ReDimNet2, **PLAIN, last=3)
    assert network.dim == 3 * 4
    bare = encoder(ReDimNet2, **PLAIN)
    features = noise(1, 12, 8)
    expected = torch.einsum("bcfs,oc->bofs", bare(features).unflatten(1, (4, 4)), network.last.weight)
    expected = expected + network.last.bias[:, None, None]
    torch.testing.assert_close(network(features), expected.flatten(1, 2), rtol=1e-4, atol=1e-5)


def test_dropout_falls_on_outputs_in_training_alone():
    options = {"channels": 2, "stages": ((1, 1, 1, None), (2, 1, 1, None)), "group": 1}
    without, dropping = encoder(ReDimNet, **options), encoder(ReDimNet, **options, dropout=0.5)
    features = noise(1, 12, 8)
    assert torch.equal(dropping(features), without(features))
    torch.manual_seed(0)
    first = dropping.train()(features)
    assert not torch.allclose(first, dropping(features))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": "resnext"}, "no block 'resnext'; there are: convnext_like, convnext_like_relu, basic_resnet"),
        ({"context": "lstm"}, "no context 'lstm' over time; there are: fc, conv, att, conv[+]att"),
        ({"stages": ((3, 1, 1, None),)}, "8 bands cannot be strided by 3"),
        ({"stages": ((1, 1, 1, 3),)}, "four heads cannot share 10 channels"),
        ({"group": 8}, "4 channels cannot be convolved in groups of about 8"),
    ],
)
def test_options_that_build_no_network_are_refused(options, message):
    with pytest.raises(BadInput, match=f"^{message}"):
        ReDimNet(8, **{"channels": 4, "stages": ((1, 1, 1, 4),), **options})


@pytest.mark.parametrize("name", [name for name in REFERENCES if name.startswith("redimnet")])
def test_every_name_in_the_reference_is_one_of_ours_or_known_to_be_left_out(name):
    rules = redimnet2() if name.startswith("redimnet2") else redimnet()
    theirs = np.load(GOLDENS / f"{name}.npz")["names"]
    ours = {theirs_name: renamed(theirs_name, rules) for theirs_name in theirs.tolist()}
    assert sorted(filter(None, ours.values())) == sorted(REFERENCES[name]().state_dict())
    left_out = {theirs_name.partition(".")[0] for theirs_name, our_name in ours.items() if not our_name}
    assert left_out <= {"backbone", "spec"}


def test_wespeakers_names_of_a_redimnet_are_known():
    ours_of = partial(renamed, rules=redimnet_of_wespeaker(5))
    assert ours_of("backbone.inputs_weights.0") == ""
    assert ours_of("backbone.inputs_weights.3") == "encoder.stages.3.shares.weight"
    assert ours_of("backbone.inputs_weights.5") == "encoder.gather.weight"
    assert ours_of("backbone.stage1.0.bias") == "encoder.stages.1.down.bias"
    assert ours_of("backbone.stage1.3.conv_block.bn1.weight") == "encoder.stages.1.blocks.2.first_norm.weight"
    assert ours_of("backbone.stage1.4.3.weight") == "encoder.stages.1.squeeze.linear.weight"
    assert ours_of("backbone.stage4.5.tcm.4.attention.k_proj.bias") == "encoder.stages.4.time.mixer.key.bias"
    assert ours_of("seg_1.weight") == "projection.linear.weight"
