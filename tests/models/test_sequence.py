"""What is particular to the time-residual, recurrent and frame-level networks."""

import pytest
import torch
from seeded import noise, seeded
from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.softmax import Softmax
from voxsphere.models.encoders.lstm import Lstm
from voxsphere.models.encoders.time_resnet import TimeResNet
from voxsphere.models.poolings.multitask import TanhAttentionPooling
from voxsphere.zoo import NETWORKS


@pytest.mark.parametrize(("name", "published"), [("lstm", 564_923), ("attention-lstm", 573_243)])
def test_an_lstm_has_the_published_number_of_parameters_with_its_head_and_states(name, published):
    """The published numbers count the states that two layers of 128 begin with, in a batch of two; here they are 0."""
    with torch.device("meta"):
        model = NETWORKS[name].model()
        head = Softmax(model.dim, 1211)
    counted = sum(p.numel() for p in [*model.parameters(), *head.parameters()])
    assert counted + 2 * 2 * 2 * 128 == published


def time_resnet(in_dim: int = 12, *, block: str = "bottleneck", channels: int = 1, square: bool = True) -> TimeResNet:
    encoder = TimeResNet(in_dim, blocks=(1, 2), block=block, first=6, width=4, channels=channels, square=square)
    encoder.load_state_dict(seeded(encoder))
    return encoder.eval()


def in_two_dimensions(encoder: TimeResNet, features: Tensor) -> Tensor:
    """The network as multitask_asv writes it: an image [batch, channels, 1, frames] and 3×3 kernels."""
    x = features.transpose(1, 2).unflatten(1, (encoder.channels, -1))
    x = encoder.first_norm(functional.conv2d(x, encoder.first.weight, padding=(0, 1))).relu()
    for block in encoder.blocks:
        normed = block.norms[0](x).relu()
        stride = next(conv.stride for conv in block.convs if conv.weight.shape[-1] == 3)
        kept = x if block.shortcut is None else functional.conv2d(normed, block.shortcut.weight, stride=stride)
        for i, conv in enumerate(block.convs):
            x = normed if i == 0 else block.norms[i](x).relu()
            triple = conv.weight.shape[-1] == 3
            x = functional.conv2d(x, conv.weight, stride=conv.stride if triple else 1, padding=int(triple))
        x = x + kept
    return x.squeeze(2)


@pytest.mark.parametrize("block", ["bottleneck", "basic"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_stages_are_square_convolutions_of_an_image_one_row_high(block, channels):
    encoder, features = time_resnet(block=block, channels=channels), noise(3, 21, 12)
    torch.testing.assert_close(encoder(features), in_two_dimensions(encoder, features), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("block", ["bottleneck", "basic"])
def test_only_the_middle_row_of_a_square_kernel_counts(block):
    square, flat = time_resnet(block=block), time_resnet(block=block, square=False)
    shapes = {name: value.shape for name, value in flat.state_dict().items()}
    state = square.state_dict()
    flat.load_state_dict(
        {name: value if value.shape == shapes[name] else value[:, :, 1:2] for name, value in state.items()}
    )
    assert {tuple(shape[-2:]) for name, shape in shapes.items() if "convs" in name} <= {(1, 1), (1, 3)}
    torch.testing.assert_close(flat(noise(2, 30, 12)), square(noise(2, 30, 12)))


def test_eight_hundred_frames_become_a_hundred():
    encoder = TimeResNet(23, blocks=(1, 1, 1, 1), first=4, width=2).eval()
    assert encoder.dim == 64
    for frames, left in ((800, 100), (801, 101), (1, 1), (9, 2)):
        assert encoder(noise(2, frames, 23)).shape == (2, 64, left)


def test_an_utterance_does_not_see_its_neighbours_in_the_batch():
    encoder, features = time_resnet(), noise(4, 40, 12)
    torch.testing.assert_close(encoder(features)[2:3], encoder(features[2:3]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("square", [False, True])
def test_the_convolutions_of_a_time_resnet_begin_at_the_scale_of_their_fan_out(square):
    torch.manual_seed(0)
    encoder = TimeResNet(24, blocks=(1, 1), first=32, width=32, channels=3, square=square)
    weights = {name: p for name, p in encoder.named_parameters() if p.ndim == 4}
    assert {tuple(p.shape[2:]) for p in weights.values()} == {(8, 3), (1, 1), (3, 3) if square else (1, 3)}
    for weight in weights.values():
        fan_out = weight.shape[0] * weight[0, 0].numel()
        assert float(weight.detach().std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)


def test_what_a_time_resnet_cannot_be_is_refused():
    with pytest.raises(BadInput, match="no block 'wide'; there are: bottleneck, basic"):
        TimeResNet(24, block="wide")
    with pytest.raises(BadInput, match="25 features are not 3 channels"):
        TimeResNet(25, channels=3)


def test_the_noise_of_the_legacy_deviation_is_for_training_only_and_small():
    torch.manual_seed(0)
    pooling, frames = TanhAttentionPooling(6, legacy=True), noise(2, 6, 30)
    trained = pooling(frames)
    assert not torch.equal(trained, pooling(frames))
    torch.testing.assert_close(trained, pooling.eval()(frames), rtol=0, atol=1e-4)
    assert torch.equal(pooling(frames), pooling(frames))


def test_an_lstm_hears_no_frame_before_its_time():
    encoder, features = Lstm(12, hidden=8).eval(), noise(2, 30, 12)
    encoder.load_state_dict(seeded(encoder))
    cut = features.clone()
    cut[:, 20:] = 0
    torch.testing.assert_close(encoder(cut)[..., :20], encoder(features)[..., :20])
    assert (encoder(cut)[..., 20:] - encoder(features)[..., 20:]).norm() > 0.1


def test_an_lstm_drops_out_between_its_layers_in_training_only():
    torch.manual_seed(0)
    encoder, features = Lstm(12, hidden=8, dropout=0.5), noise(2, 30, 12)
    assert not torch.equal(encoder(features), encoder(features))
    assert torch.equal(encoder.eval()(features), encoder(features))
    single = Lstm(12, hidden=8, layers=1, dropout=0.5)
    assert torch.equal(single(features), single(features))
