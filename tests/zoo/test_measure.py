"""What is said of a network's cost and sight is what an independent count gives."""

from functools import partial

import pytest
import torch

from voxsphere.audio.features import Fbank
from voxsphere.audio.ge2e_mel import GE2EMel
from voxsphere.audio.normalisation import UtteranceNorm
from voxsphere.audio.self_supervised import SelfSupervised
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.ge2e_lstm import GE2ELstm
from voxsphere.models.encoders.resnet import ResNet
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.layers import winograd
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling
from voxsphere.models.projection import Affine
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo import NETWORKS
from voxsphere.zoo.measure import macs_per_second, receptive_field

FBANK = partial(Fbank, num_mels=20)


class Attended(SelfSupervised):
    """A self-supervised front end by its class, without the network that it needs transformers for."""

    def __init__(self, *, num_mels: int) -> None:
        torch.nn.Module.__init__(self)
        self.dim, self.hop, self.tune = num_mels, 320, "all"


def small(*, encoder, features=FBANK, pooling=StatsPooling) -> SpeakerModel:
    projection = partial(Affine, dim=6)
    return SpeakerModel(features=features, encoder=encoder, pooling=pooling, projection=projection).eval()


def test_multiply_accumulates_are_those_of_each_layer_by_hand():
    model = small(encoder=partial(Tdnn, width=8, last=12))
    frames, count = model.features.frames_of(3 * 16000), 0
    count += frames * model.features.bank.numel()
    for layer in model.encoder.layers:
        frames -= (layer.conv.kernel_size[0] - 1) * layer.conv.dilation[0]
        count += frames * layer.conv.weight.numel()
    count += model.projection.linear.weight.numel()
    assert macs_per_second(model, seconds=3.0) == pytest.approx(count / 3.0)


def test_the_rvectors_cost_is_the_published_one():
    published = 4.55e9  # of two seconds, WeSpeaker
    assert 2 * macs_per_second(NETWORKS["resnet34"].model(), seconds=2.0) == pytest.approx(published, rel=0.02)


def reached(model, *, frames: int) -> int:
    """The frames that a gradient of one output frame reaches."""
    features = torch.randn(1, frames, model.features.dim, dtype=torch.float64, requires_grad=True)
    outputs = model.double().encoder(features)
    outputs[0, :, outputs.shape[-1] // 2].sum().backward()
    return int((features.grad[0].abs().sum(-1) > 0).sum())


@pytest.mark.parametrize("encoder", [partial(Tdnn, width=8, last=12), partial(ResNet, depth=18, width=4)])
def test_the_receptive_field_is_what_a_gradient_reaches(encoder):
    # Now and then weights are drawn that stop every gradient at the edges: of eight channels all may be below 0.
    torch.manual_seed(0)
    model = small(encoder=encoder)
    assert receptive_field(model) == reached(small(encoder=encoder), frames=400)


def test_tiles_in_evaluation_do_not_widen_the_receptive_field(one_thread):
    given = {"encoder": partial(ResNet, depth=18, width=winograd.WIDE // 4), "features": partial(Fbank, num_mels=80)}
    assert receptive_field(small(**given)) == reached(small(**given), frames=400)


def test_a_field_of_windows_is_the_window():
    lstm = partial(GE2ELstm, hidden=8, layers=1, dim=8)
    assert receptive_field(small(encoder=lstm, features=partial(GE2EMel, num_mels=12), pooling=MeanPooling)) == 160


def test_a_network_with_channel_attention_sees_the_whole_utterance():
    assert receptive_field(small(encoder=partial(EcapaTdnn, width=16, last=12, scale=4, squeeze=8))) is None


def test_a_network_over_frames_that_have_attended_to_all_sees_the_whole_utterance():
    attended = UtteranceNorm(of=partial(Attended, num_mels=20))
    assert receptive_field(small(encoder=partial(Tdnn, width=4, last=4), features=lambda: attended)) is None


def test_a_network_deeper_than_the_first_try_is_tried_on_more_frames():
    encoder = partial(Tdnn, width=4, last=4, kernels=(3, 3), dilations=(95, 95))
    assert receptive_field(small(encoder=encoder)) == 381
