"""What is particular to the frame-level models: windows, stacks, and the decision over a file."""

from functools import partial

import numpy as np
import pytest
import torch
from seeded import noise, seeded
from small import Frames, small
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.losses.softmax import Softmax
from voxsphere.models.encoders.context_mlp import ContextMlp
from voxsphere.models.encoders.stacked_dense import StackedDense
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import AsPooled

DIM = 4


def mlp(*, in_frames: int = 5, windows: str = "padded") -> ContextMlp:
    encoder = ContextMlp(DIM, in_frames=in_frames, hidden=6, windows=windows)
    encoder.load_state_dict(seeded(encoder))
    return encoder.double().eval()


def of_window(encoder: ContextMlp, window: np.ndarray) -> np.ndarray:
    """The dense layers of pav_spkid_pytorch over one window [in_frames, dim], flattened frame by frame."""
    x = window.reshape(-1)
    for layer in encoder.layers[::2]:
        weight = layer.weight.detach().numpy().transpose(0, 2, 1).reshape(layer.out_channels, -1)
        x = np.maximum(weight @ x + layer.bias.detach().numpy(), 0)
    return x


@pytest.mark.parametrize(
    ("in_frames", "hidden", "dim", "published"),
    [(21, 100, 16, 69_858), (21, 100, 20, 78_258), (21, 100, 21, 80_358), (1, 20, 20, 4_578)],
)
def test_a_context_mlp_has_the_published_number_of_parameters_with_158_classes(in_frames, hidden, dim, published):
    encoder = ContextMlp(dim, in_frames=in_frames, hidden=hidden)
    head = Softmax(encoder.dim, 158)
    assert sum(p.numel() for p in [*encoder.parameters(), *head.parameters()]) == published


@pytest.mark.parametrize("in_frames", [1, 5])
def test_padded_windows_are_dense_layers_around_each_frame_with_zeros_beyond_the_ends(in_frames):
    encoder, features = mlp(in_frames=in_frames), noise(2, 7, DIM).double()
    side = in_frames // 2
    for utterance, frames in zip(features.numpy(), encoder(features).detach().numpy(), strict=True):
        padded = np.pad(utterance, ((side, side), (0, 0)))
        expected = [of_window(encoder, padded[t : t + in_frames]) for t in range(7)]
        np.testing.assert_allclose(frames.T, expected, rtol=1e-9)


@pytest.mark.parametrize(("windows", "count"), [("whole", 8), ("legacy", 7)])
def test_windows_within_the_utterance_are_those_of_the_slices(windows, count):
    encoder, features = mlp(windows=windows), noise(1, 12, DIM).double()
    slices = [of_window(encoder, features[0, t : t + 5].numpy()) for t in range(count)]
    np.testing.assert_allclose(encoder(features)[0].T.detach().numpy(), slices, rtol=1e-9)


def test_a_window_to_train_on_gives_the_frame_that_it_gives_within_its_file():
    padded, whole, features = mlp(), mlp(windows="whole"), noise(1, 12, DIM).double()
    torch.testing.assert_close(whole(features[:, 3:8])[..., 0], padded(features)[..., 5])


@pytest.mark.parametrize(("windows", "shortest"), [("padded", 1), ("whole", 5), ("legacy", 6)])
def test_too_few_frames_for_a_window_are_refused(windows, shortest):
    encoder = mlp(windows=windows)
    assert encoder(noise(2, shortest, DIM).double()).shape == (2, 6, 1)
    with pytest.raises(BadInput, match=f"^{shortest - 1} frames are too few: the network looks at {shortest} at once"):
        encoder(noise(2, shortest - 1, DIM).double())


def test_windows_that_cannot_be_are_refused():
    with pytest.raises(BadInput, match="4 frames have none in the middle"):
        ContextMlp(DIM, in_frames=4)
    with pytest.raises(BadInput, match="no windows 'half'; there are: padded, padded_in_use, whole, legacy"):
        ContextMlp(DIM, windows="half")


def test_a_stacked_dense_net_has_the_published_number_of_parameters_with_80_classes():
    encoder = StackedDense(39)
    head = Softmax(encoder.dim, 80)
    assert sum(p.numel() for p in encoder.parameters()) == 78_200
    assert sum(p.numel() for p in [*encoder.parameters(), *head.parameters()]) == 94_280


def stacks_of(features: Tensor, stack: int, step: int) -> Tensor:
    """Coefficient by coefficient, as deep-speaker v2 flattens them: [batch, stacks, dim · stack]."""
    starts = range(0, features.shape[1] - stack + 1, step)
    return torch.stack([features[:, t : t + stack].transpose(1, 2).flatten(1) for t in starts], dim=1)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_stacked_dense_net_is_a_dense_layer_over_390_numbers(activation):
    encoder = StackedDense(39, dim=8, activation=activation).double()
    encoder.load_state_dict(seeded(encoder))
    features = noise(2, 24, 39).double()
    stacked = stacks_of(features, 10, 3)
    assert stacked.shape == (2, 5, 390)
    dense = stacked @ encoder.dense.weight.T + encoder.dense.bias
    torch.testing.assert_close(encoder(features).transpose(1, 2), getattr(torch, activation)(dense))


def test_features_stacked_beforehand_give_the_same():
    within, before = StackedDense(39, dim=8), StackedDense(390, dim=8, stack=1, step=1)
    within.load_state_dict(seeded(within))
    before.load_state_dict(within.state_dict())
    features = noise(2, 24, 39)
    torch.testing.assert_close(before(stacks_of(features, 10, 3)), within(features))


def test_what_a_stacked_dense_net_cannot_be_is_refused():
    with pytest.raises(BadInput, match="no activation 'relu'; there are: sigmoid, tanh"):
        StackedDense(39, activation="relu")
    with pytest.raises(BadInput, match="stacks of 10 frames every 0 frames"):
        StackedDense(39, step=0)
    with pytest.raises(BadInput, match=r"^9 frames are too few: the network looks at 10 at once"):
        StackedDense(39)(noise(1, 9, 39))


@pytest.mark.parametrize("encoder", [partial(ContextMlp, in_frames=5, hidden=6), partial(StackedDense, dim=6)])
def test_a_file_is_decided_by_the_sum_over_its_frames(encoder):
    """The head classifies single frames; a window of one frame is its own embedding."""
    model = small(partial(Frames, dim=DIM), encoder, MeanPooling, AsPooled)().eval()
    head, features = Softmax(model.dim, 3), noise(1, 40, DIM)
    frames = model.frames(features)
    decision = head.logits(frames[0].T).log_softmax(-1).sum(0)
    product = torch.stack([head.logits(frames[..., t]).softmax(-1) for t in range(frames.shape[-1])]).prod(0)
    torch.testing.assert_close(decision.softmax(-1), (product / product.sum())[0])
    one = model.encoder(features[:, :10])[..., :1]
    torch.testing.assert_close(model.projection(model.pooling(one)), one[..., 0])
