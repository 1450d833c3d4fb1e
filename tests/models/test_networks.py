"""What is particular to one network: key maps, lengths, the shape of its sums."""

import pytest
import torch
from seeded import filled, noise, seeded

from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.campplus import CamPlusPlus
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm, from_resemblyzer
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.layers.convolution import ConvNorm2d
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import LengthNorm
from voxsphere.models.speaker import SpeakerModel


def test_resemblyzers_file_and_its_model_state_give_the_same_weights_without_those_of_the_loss():
    model = SpeakerModel(features=GE2EMel, encoder=GE2ELstm, pooling=MeanPooling, projection=LengthNorm)
    theirs = {**model.encoder.state_dict(), "similarity_weight": torch.ones(1), "similarity_bias": torch.ones(1)}
    ours = from_resemblyzer(theirs)
    assert set(ours) == set(model.state_dict())
    assert from_resemblyzer({"step": 1, "model_state": theirs, "optimizer_state": {}}).keys() == ours.keys()
    with pytest.raises(BadInput, match="gru"):
        from_resemblyzer({"gru.weight": torch.ones(1)})


def test_campplus_halves_the_frame_rate_for_any_number_of_bands():
    encoder = CamPlusPlus(23, stem_width=2, width=8, growth=2, bottleneck=4, layers=(1, 1), dilations=(1, 2))
    for frames in (20, 21, 200, 201, 413):
        assert encoder(noise(2, frames, 23)).shape == (2, encoder.dim, (frames + 1) // 2)


def small_campplus() -> CamPlusPlus:
    return CamPlusPlus(
        23, stem_width=2, width=8, growth=2, bottleneck=4, layers=(2, 1, 2), dilations=(1, 2, 3), segment=10
    )


@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (2, 4), (1, 13), (3, 40), (1, 61), (2, 83)])
def test_campplus_frame_after_frame_is_campplus_and_follows_its_weights(batch, frames):
    encoder, features = filled(small_campplus()).double(), noise(batch, frames, 23).double()
    for _ in range(2):
        with torch.inference_mode():
            found = encoder(features)
        expected = encoder(features)  # with gradients: as it is trained
        assert found.shape == expected.shape
        assert (found - expected).norm() < 1e-12 * expected.norm()
        encoder.load_state_dict({name: value * 1.1 for name, value in encoder.state_dict().items()})


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_campplus_traced_without_gradients_takes_other_lengths():
    encoder, other = filled(small_campplus()), noise(3, 61, 23)
    with torch.no_grad():
        graph = torch.jit.trace(encoder, noise(2, 83, 23), check_trace=False)
        torch.testing.assert_close(graph(other), encoder(other), rtol=1e-5, atol=1e-6)


def test_the_xvector_sees_fifteen_frames():
    encoder = Tdnn(20, width=8, last=12).eval()
    features = noise(1, 40, 20)
    assert encoder(features).shape == (1, 12, 26)
    torch.testing.assert_close(encoder(features[:, 5:20]), encoder(features)[..., 5:6])


def test_an_ecapa_block_receives_the_sum_of_all_earlier_outputs():
    encoder = EcapaTdnn(20, width=16, last=12, scale=4, squeeze=8).eval()
    encoder.load_state_dict(seeded(encoder))
    features = noise(2, 30, 20)
    entry = encoder.entry(features.transpose(1, 2))
    first = encoder.blocks[0].layers(entry) + entry
    second = encoder.blocks[1].layers(entry + first) + entry + first
    third = encoder.blocks[2].layers(entry + first + second) + entry + first + second
    expected = encoder.gather(torch.cat([first, second, third], dim=1)).relu()
    torch.testing.assert_close(encoder(features), expected, rtol=1e-4, atol=1e-5)


def test_a_resnet_folds_its_bands_channel_by_channel():
    encoder = ResNet(21, depth=18, width=2).eval()
    image = encoder.blocks(encoder.first(noise(2, 50, 21).transpose(1, 2)[:, None]).relu())
    frames = encoder(noise(2, 50, 21))
    assert image.shape == (2, 16, 3, 7)
    assert encoder.dim == 48
    torch.testing.assert_close(frames[:, 3 * 5 + 1], image[:, 5, 1])


def test_a_resnet_of_no_known_depth_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="18, 34, 50"):
        ResNet(80, depth=33)


def test_a_dvector_is_the_vector_of_its_window_alone_and_of_unit_length():
    encoder = GE2ELstm(12, hidden=8, layers=2, dim=8, window=20, step=7).eval()
    encoder.load_state_dict(seeded(encoder))
    features = noise(3, 20 + 7 * 4 + 3, 12)
    vectors = encoder(features)
    assert vectors.shape == (3, 8, 5)
    for window in range(5):
        alone = encoder(features[:, 7 * window : 7 * window + 20])
        torch.testing.assert_close(vectors[..., window], alone[..., 0])
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3, 5))


@pytest.mark.parametrize("stride", [(1, 1), (2, 1)])
def test_a_folded_batch_norm_is_the_batch_norm(stride):
    layer = ConvNorm2d(3, 5, kernel=3, stride=stride).eval()
    layer.load_state_dict(seeded(layer))
    x = noise(2, 3, 9, 11)
    torch.testing.assert_close(layer(x), layer.norm(layer.conv(x)), rtol=1e-5, atol=1e-6)
