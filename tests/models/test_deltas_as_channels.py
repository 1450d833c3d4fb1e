"""Every two-dimensional network takes features with deltas as an image of three channels."""

from functools import partial

import pytest
import torch
from seeded import filled, noise

from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.eres2net import ERes2Net
from voxsphere.models.encoders.eres2netv2 import ERes2NetV2
from voxsphere.models.encoders.image_resnet import ImageResNet
from voxsphere.models.encoders.normed_resnet20 import NormedResNet20
from voxsphere.models.encoders.res2net import Res2Net
from voxsphere.models.encoders.rescnn import ResCnn
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.resnet20 import ResNet20
from voxsphere.models.encoders.se_resnet import SeResNet
from voxsphere.models.encoders.simam_resnet import SimAmResNet
from voxsphere.models.encoders.thin_resnet import ThinResNet
from voxsphere.models.layers.entry import image

ONE_EACH = (1, 1, 1, 1)
# Widths at which no layer but the first has three channels to look at.
ENCODERS = {
    "resnet": partial(ResNet, depth=18, width=8),
    "resnet-bottleneck": partial(ResNet, depth=50, width=8),
    "thin-resnet": partial(ThinResNet, blocks=ONE_EACH, width=8),
    "simam-resnet": partial(SimAmResNet, width=8),
    "res2net": partial(Res2Net, width=8, blocks=ONE_EACH),
    "eres2net": partial(ERes2Net, width=8, blocks=ONE_EACH),
    "eres2netv2": partial(ERes2NetV2, width=10, blocks=ONE_EACH),
    "se-resnet": partial(SeResNet, width=8, blocks=ONE_EACH),
    "se-resnet-late": partial(SeResNet, width=8, blocks=ONE_EACH, late_norm=True, bins=None),
    "rescnn": partial(ResCnn, width=8, blocks=ONE_EACH),
    "image-resnet": partial(ImageResNet, width=8, blocks=ONE_EACH),
    "resnet20": partial(ResNet20, width=8, units=ONE_EACH),
    "normed-resnet20": partial(NormedResNet20, width=8, blocks=ONE_EACH),
}
STATIC = 33


def convolutions(encoder: torch.nn.Module) -> list[torch.nn.Conv2d]:
    return [layer for layer in encoder.modules() if isinstance(layer, torch.nn.Conv2d)]


@pytest.mark.parametrize("name", ENCODERS)
def test_deltas_are_two_more_channels_of_the_first_convolution_and_of_no_other_layer(name):
    plain, encoder = ENCODERS[name](STATIC), filled(ENCODERS[name](3 * STATIC, channels=3))
    assert (convolutions(plain)[0].in_channels, convolutions(encoder)[0].in_channels) == (1, 3)
    shapes, wider = ({key: value.shape for key, value in of.state_dict().items()} for of in (plain, encoder))
    assert shapes.keys() == wider.keys()
    assert all(shape == wider[key] or (shape[1], wider[key][1]) == (1, 3) for key, shape in shapes.items())
    frames = encoder(noise(2, 50, 3 * STATIC))
    assert encoder.dim == plain.dim
    assert frames.shape == (2, plain.dim, filled(plain)(noise(2, 50, STATIC)).shape[2])


@pytest.mark.parametrize("name", ENCODERS)
def test_the_order_of_statics_and_deltas_is_that_of_the_channels(name):
    encoder, order = filled(ENCODERS[name](3 * STATIC, channels=3)).double(), [2, 0, 1]
    features = noise(2, 50, 3 * STATIC).double()
    shuffled = features.unflatten(2, (3, STATIC))[:, :, order].flatten(2)
    before, mixed = encoder(features), encoder(shuffled)
    for layer in convolutions(encoder):
        if layer.in_channels == 3:
            layer.weight.copy_(layer.weight[:, order])
    torch.testing.assert_close(encoder(shuffled), before)
    assert not torch.allclose(mixed, before, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("channels", [3, 0])
def test_features_that_are_not_so_many_channels_are_refused(name, channels):
    with pytest.raises(BadInput, match=f"80 features are not {channels} channels of equal size"):
        ENCODERS[name](80, channels=channels)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_holds_the_features_in_the_order_that_its_use_asks_for(channels):
    features = noise(2, 7, 12)
    rows = 12 // channels
    for training in (True, False):
        with torch.set_grad_enabled(training):
            made = image(features, 12, channels)
        assert made.shape == (2, channels, rows, 7)
        assert made.is_contiguous(memory_format=torch.contiguous_format if training else torch.channels_last)
        for channel in range(channels):
            assert torch.equal(made[:, channel], features[..., channel * rows :][..., :rows].transpose(1, 2))
