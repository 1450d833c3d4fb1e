"""philipperemy/deep-speaker's ResCNN against its layers written out in numpy, in Keras' order of axes."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from seeded import filled, noise

from voxsphere.models.encoders.rescnn import ResCnn
from voxsphere.zoo.convolutional import NETWORKS

MODEL = next(network.model for network in NETWORKS if network.name == "rescnn-deep-speaker")
Margins = Callable[[int], tuple[int, int]]


def of_keras(size: int) -> tuple[int, int]:
    """The zeros before and behind a side for a kernel of 5, stride 2 and padding "same"."""
    total = max((-(-size // 2) - 1) * 2 + 5 - size, 0)
    return total // 2, total - total // 2


def two(size: int) -> tuple[int, int]:
    return 2, 2


class Layers:
    """The layers of the original on images [frames, bands, channels], with the weights of an encoder of ours."""

    def __init__(self, encoder: ResCnn, margins: Margins) -> None:
        self.state = {name: value.numpy() for name, value in encoder.state_dict().items()}
        self.margins = margins

    def convolution(self, x: np.ndarray, name: str, stride: int) -> np.ndarray:
        kernel = self.state[f"{name}.conv.weight"].transpose(3, 2, 1, 0)
        sides = [(1, 1), (1, 1)] if stride == 1 else [self.margins(size) for size in x.shape[:2]]
        seen = sliding_window_view(np.pad(x, (*sides, (0, 0))), kernel.shape[:2], axis=(0, 1))[::stride, ::stride]
        return np.tensordot(seen, kernel, axes=([3, 4, 2], [0, 1, 2])) + self.state[f"{name}.conv.bias"]

    def clipped(self, x: np.ndarray, name: str, stride: int = 1) -> np.ndarray:
        """A convolution, batch norm, and a ReLU that is cut off at 20."""
        gamma, beta, mean, variance = (
            self.state[f"{name}.norm.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        normed = gamma * (self.convolution(x, name, stride) - mean) / np.sqrt(variance + 1e-5) + beta
        return np.minimum(np.maximum(normed, 0), 20)

    def __call__(self, features: np.ndarray, blocks: tuple[int, ...]) -> np.ndarray:
        x = features[:, :, None]
        for stage, count in enumerate(blocks):
            x = self.clipped(x, f"entries.{stage}", stride=2)
            for block in range(count):
                name = f"stages.{stage}.{block}.layers"
                branch = self.clipped(self.clipped(x, f"{name}.0"), f"{name}.1.0")
                x = np.minimum(np.maximum(branch + x, 0), 20)
        return x


def test_the_network_of_deep_speaker_is_its_layers_one_by_one():
    model, features = filled(MODEL()), noise(2, 32, 64)
    layers, expected = Layers(model.encoder, two), []
    for utterance in features.numpy():
        x = layers(utterance, (3, 3, 3, 3))
        assert x.shape == (2, 4, 512)
        averaged = x.reshape(-1, 2048).mean(0)
        # A frame's numbers lie there band by band, here channel by channel.
        weight = model.projection.linear.weight.numpy().reshape(512, 512, 4).transpose(0, 2, 1).reshape(512, 2048)
        embedding = weight @ averaged + model.projection.linear.bias.numpy()
        expected.append(embedding / np.sqrt((embedding**2).sum()))
    ours = model.projection(model.pooling(model.encoder(features), None)).numpy()
    assert np.linalg.norm(ours - expected, axis=1).max() <= 1e-5


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_images_of_odd_sides_are_padded_as_by_keras(scale):
    encoder = filled(ResCnn(25, blocks=(2, 1, 1), width=6, bins=None, bias="all", rectify=True)).double()
    features = scale * noise(1, 41, 25).double()
    x = Layers(encoder, of_keras)(features[0].numpy(), (2, 1, 1))
    assert (x.max() == 20) == (scale > 1)
    np.testing.assert_allclose(encoder(features)[0].numpy(), x.transpose(2, 1, 0).reshape(-1, len(x)), atol=1e-9)
