"""What is particular to the reference systems' two-dimensional networks: grids, cuts, axes, depths."""

import math
from functools import partial

import pytest
import torch
from seeded import filled, noise
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.image_resnet import ImageResNet
from voxsphere.models.encoders.rescnn import ResCnn
from voxsphere.models.encoders.se_resnet import SeResNet
from voxsphere.models.encoders.thin_resnet import ThinResNet
from voxsphere.models.layers.attention import ChannelAttention
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.layers.frequency_grid import FrequencyGrid
from voxsphere.models.layers.grouped_convolution import Res2Conv2d
from voxsphere.models.layers.image_attention import BandFrameAttention
from voxsphere.models.layers.residual_chain import ResidualChain
from voxsphere.models.poolings.statistics import MeanPooling


@pytest.mark.parametrize("rows", [4, 8, 16, 3, 5, 6, 11])
def test_a_grid_and_the_mean_over_time_are_adaptive_average_pooling_of_the_image(rows):
    image = noise(2, 3, rows, 7)
    grid = FrequencyGrid(3, rows, bins=4)
    pooled = MeanPooling(grid.dim)(grid(image))
    expected = functional.adaptive_avg_pool2d(image, (4, 1)).flatten(1)
    torch.testing.assert_close(pooled, expected)
    torch.testing.assert_close(grid(image), functional.adaptive_avg_pool2d(image, (4, None)).flatten(1, 2))


def test_a_grid_without_bins_keeps_every_row():
    image = noise(2, 3, 5, 7)
    grid = FrequencyGrid(3, 5, bins=None)
    assert grid.dim == 15
    assert torch.equal(grid(image), image.flatten(1, 2))


@pytest.mark.parametrize(("stride", "bias"), [((1, 1), False), ((2, 2), True)])
def test_a_convolution_with_a_bias_folds_into_its_batch_norm(stride, bias):
    layer = filled(ConvNorm2d(3, 5, kernel=5, stride=stride, bias=bias))
    x = noise(2, 3, 9, 11)
    torch.testing.assert_close(layer(x), layer.norm(layer.conv(x)), rtol=1e-5, atol=1e-6)


def test_a_rescnn_keeps_frequency_and_averages_time():
    encoder = filled(ResCnn(64, blocks=(1, 1, 1, 1), width=4))
    wave = noise(1, 160, 64)
    frames = encoder(wave)
    assert frames.shape == (1, 4 * 8 * 4, 10)
    still = encoder(wave[:, :1].expand(1, 480, 64))  # away from the edges nothing changes with time …
    torch.testing.assert_close(still[..., 14], still[..., 15])
    bands = still[..., 15].reshape(32, 4)  # … but the bands differ
    assert float((bands - bands.mean(1, keepdim=True)).abs().max()) > 0.01


def test_activations_of_a_rescnn_are_cut_off_at_twenty_and_those_of_its_superficial_form_are_not():
    loud = 1e4 * noise(2, 40, 20)
    clipped, free = (filled(ResCnn(20, blocks=(1, 1), width=4, clip=clip)) for clip in (20.0, None))
    assert float(clipped(loud).max()) <= 20 < float(free(loud).max())
    assert float(clipped(loud).min()) >= 0


def test_rectify_keeps_what_a_block_adds_from_being_negative():
    x = noise(2, 4, 6, 8).abs()
    for rectify in (False, True):
        encoder = filled(ResCnn(20, blocks=(1,), width=4, clip=None, rectify=rectify))
        added = encoder.stages[0][0](x) - x
        assert (float(added.min()) >= -1e-6) == rectify


def test_a_bottleneck_of_a_rescnn_is_four_times_as_wide_as_its_stage():
    encoder = ResCnn(64, blocks=(1, 2), width=4, bottleneck=True)
    assert encoder.dim == 4 * 8 * 4
    kernels = [layer.conv.kernel_size[0] for layer in encoder.stages[1][1].layers]
    assert kernels == [1, 3, 1]


def test_a_residual_chain_is_its_layers_and_its_shortcut():
    first, second, short = (filled(ConvNorm2d(3, 3, kernel=k)) for k in (1, 3, 1))
    chain = ResidualChain(first, second, shortcut=short, activation=torch.nn.ReLU(inplace=True))
    x = noise(2, 3, 6, 8)
    torch.testing.assert_close(chain(x), (second(first(x).relu()) + short(x)).relu())


def test_a_bias_of_no_known_kind_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="none, first, all"):
        partial(ResCnn, 64)(bias="some")


@pytest.mark.parametrize(("blocks", "published"), [((3, 4, 6, 3), 25_557_032), ((3, 4, 23, 3), 44_549_160)])
def test_with_bottlenecks_the_depths_50_and_101_have_the_weights_of_the_networks_for_images(blocks, published):
    with torch.device("meta"):
        encoder = ImageResNet(64, blocks=blocks, bottleneck=True, kernel=7)
    colours, classes = 2 * 64 * 7 * 7, 1000 * 2048 + 1000  # what torchvision's have besides
    assert sum(p.numel() for p in encoder.parameters()) == published - colours - classes


def test_an_image_resnet_has_a_frame_for_each_32_and_a_siresnet_for_each_8():
    frames = noise(1, 320, 64)
    grid = filled(ImageResNet(64, blocks=(1, 1, 1, 1), width=4))
    assert grid(frames).shape == (1, 4 * 8 * 4, 10)
    simple = filled(ImageResNet(64, blocks=(1, 1, 1, 1), width=4, kernel=3, stride=1, pool_stride=1, bins=1))
    assert simple(frames).shape == (1, 4 * 8, 40)


@pytest.mark.parametrize("bands", [20, 33, 64, 161])
def test_the_rows_that_an_image_resnet_reckons_with_are_those_that_it_has(bands):
    encoder = filled(ImageResNet(bands, blocks=(1, 1, 1), width=4, bins=None))
    assert encoder(noise(1, 40, bands)).shape[1] == encoder.dim


def test_attention_to_channels_scales_whole_images_by_what_it_scales_their_means_by():
    attention = filled(ChannelAttention(6, squeeze=3))
    image = noise(2, 6, 5, 7)
    factors = attention(image.mean((2, 3), keepdim=True).flatten(2)) / image.mean((2, 3), keepdim=True).flatten(2)
    torch.testing.assert_close(attention(image), image * factors[..., None], rtol=1e-4, atol=1e-5)


def test_attention_to_bands_and_frames_is_what_loops_make_of_it():
    attention = filled(BandFrameAttention(2, kernel=3)).double()
    x = noise(1, 2, 4, 5).double()
    expected = torch.empty_like(x)
    for channel in range(2):
        for band in range(4):
            for frame in range(5):
                factors = 0.0
                for conv, means, place in (
                    (attention.of_bands, x[0].mean(2), band),
                    (attention.of_frames, x[0].mean(1), frame),
                ):
                    total = conv.bias[channel].item()
                    for tap in range(3):
                        at = place + tap - 1
                        if 0 <= at < means.shape[1]:
                            total += float(conv.weight[channel, :, tap] @ means[:, at])
                    factors += 0.5 / (1 + math.exp(-total))
                expected[0, channel, band, frame] = x[0, channel, band, frame] * factors
    torch.testing.assert_close(attention(x), expected)


def test_with_its_middle_alone_a_kernel_of_that_attention_may_lie_across_as_in_its_first_form():
    attention = filled(BandFrameAttention(3))
    x = noise(2, 3, 8, 9)
    of_bands, of_frames = attention.of_bands, attention.of_frames
    across_bands = functional.conv2d(x.mean(3, True), of_bands.weight[:, :, None], of_bands.bias, padding=(0, 3))
    across_frames = functional.conv2d(x.mean(2, True), of_frames.weight[..., None], of_frames.bias, padding=(3, 0))
    crossed = x * (across_bands.sigmoid() + across_frames.sigmoid()) / 2
    assert not torch.allclose(attention(x), crossed, atol=1e-3)
    for conv in (of_bands, of_frames):
        conv.weight[..., [0, 1, 2, 4, 5, 6]] = 0
    torch.testing.assert_close(attention(x), crossed)


def test_each_group_of_channels_is_convolved_upon_the_one_before_and_the_last_is_left_alone():
    layer = filled(Res2Conv2d(8, scale=4))
    x = noise(2, 8, 5, 6)
    first = layer.groups[0](x[:, :2])
    second = layer.groups[1](first + x[:, 2:4])
    third = layer.groups[2](second + x[:, 4:6])
    torch.testing.assert_close(layer(x), torch.cat([first, second, third, x[:, 6:]], dim=1))


@pytest.mark.parametrize("bands", [20, 33])
@pytest.mark.parametrize(("stem", "left"), [("none", 1), ("average", 2), ("pair", 2), ("max", 2)])
def test_the_stem_of_a_thin_resnet_halves_bands_and_not_frames(bands, stem, left):
    encoder = filled(ThinResNet(bands, blocks=(1, 1), width=4, stem=stem, bins=None))
    frames = encoder(noise(1, 40, bands))
    assert frames.shape == (1, encoder.dim, 20)
    rows = bands // 2 if stem == "pair" else -(-bands // left)
    assert encoder.dim == 8 * -(-rows // 2)


def test_the_last_stage_of_a_thin_resnet_may_keep_the_frame_rate():
    lengths = [
        filled(ThinResNet(20, blocks=(1, 1, 1, 1), width=4, last_stride=stride))(noise(1, 40, 20)).shape[2]
        for stride in (1, 2)
    ]
    assert lengths == [10, 5]


def test_the_width_of_one_thin_resnets_bottlenecks_is_its_own():
    wide = ThinResNet(20, blocks=(1, 1), width=4, bottleneck=True)
    assert ThinResNet(20, blocks=(1, 1), width=4, bottleneck=True, expansion=1).dim * 4 == wide.dim
    assert ThinResNet(20, blocks=(1, 1), width=4, bottleneck=True).dim == wide.dim


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"block": "shuffle"}, "basic, se, cbam, res2, se-res2"),
        ({"stem": "mean"}, "none, average, pair, max"),
        ({"shortcut": "conv7"}, "conv1, average, conv3, conv5"),
        ({"block": "res2", "bottleneck": True}, "no bottlenecks"),
        ({"block": "res2", "scale": 5}, r"scale \(5\) divides the width \(16\)"),
    ],
)
def test_options_that_a_thin_resnet_does_not_have_are_refused(options, said):
    with pytest.raises(BadInput, match=said):
        ThinResNet(20, **options)


@pytest.mark.parametrize(
    ("options", "shape"),
    [({}, (128, 50)), ({"stride": 1, "last_stride": 2, "late_norm": True, "bins": None}, (128 * 5, 25))],
)
def test_the_two_resnets_of_voxceleb_trainer_keep_a_quarter_and_an_eighth_of_the_frames(options, shape):
    encoder = filled(SeResNet(40, blocks=(1, 1, 1, 1), **options))
    assert (encoder.dim, encoder(noise(1, 200, 40)).shape[2]) == shape
