"""What is particular to ResNet-20 without batch norm: map sizes, numbers, beginnings, rates."""

import numpy as np
import pytest
import torch
from seeded import filled, noise
from torch.nn import functional

from voxsphere.models.encoders.resnet20 import ResNet20
from voxsphere.models.projection import DoubleRateAffine
from voxsphere.train.parameters import parameter_groups


def test_the_maps_of_resnet20_halve_from_300_frames_of_257_bands_to_19_of_17():
    encoder = filled(ResNet20(257, width=2))
    sizes: list[tuple[int, int]] = []
    for layer in encoder.stages:
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(lambda layer, given, image: sizes.append((image.shape[3], image.shape[2])))
    frames = encoder(noise(1, 300, 257))
    assert sizes == [(150, 129), (75, 65), (38, 33), (19, 17)]
    assert frames.shape == (1, 16 * 17, 19)
    with torch.device("meta"):
        assert ResNet20(257).dim == 8704


@pytest.mark.parametrize(
    ("dim", "published"),
    [(64, 12_297_379), (128, 12_934_563), (256, 14_208_931), (512, 16_757_667), (1024, 21_855_139)],
)
def test_resnet20_has_the_published_numbers_of_parameters(dim, published):
    held_at_zero = 3712
    with torch.device("meta"):
        encoder = ResNet20(257)
        projection = DoubleRateAffine(encoder.dim, dim=dim)
    ours = sum(p.numel() for p in encoder.parameters())
    assert ours + held_at_zero == 11_658_944
    head = dim * 1251 + 1251
    assert ours + sum(p.numel() for p in projection.parameters()) + held_at_zero + head == published


def test_resnet20_begins_as_in_its_files():
    torch.manual_seed(0)
    encoder = ResNet20(20, units=(1, 1), width=32)
    entry, slopes, unit = encoder.stages[3], encoder.stages[4], encoder.stages[5]
    bound = (3 / (32 * 9)) ** 0.5
    assert 0.99 * bound < entry.weight.abs().max().item() <= bound
    assert entry.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not entry.bias.any()
    assert torch.equal(slopes.weight, torch.full((64,), 0.25))
    assert unit.layers[0].bias is None
    assert unit.layers[2].weight.std().item() == pytest.approx(0.01, rel=0.02)


def test_the_biases_of_resnet20_and_its_embedding_layer_learn_at_twice_the_rate():
    model = torch.nn.ModuleDict({"encoder": ResNet20(20, units=(1, 1), width=4), "projection": DoubleRateAffine(8)})
    rest, *special = parameter_groups(model)
    assert [(group["rate"], group["weight_decay"]) for group in special] == [(2, 0), (2, 1e-3), (2, 0)]
    names = {id(p): name for name, p in model.named_parameters()}
    assert [[names[id(p)] for p in group["params"]] for group in special] == [
        ["encoder.stages.0.bias", "encoder.stages.3.bias"], ["projection.linear.weight"], ["projection.linear.bias"],
    ]  # fmt: skip
    assert not any(names[id(p)].endswith("bias") for p in rest["params"])


def test_dropout_before_the_embedding_layer_is_for_training_alone():
    torch.manual_seed(0)
    projection = DoubleRateAffine(400, dim=3, dropout=0.5)
    pooled = noise(2, 400)
    assert not torch.equal(projection(pooled), projection(pooled))
    projection.eval()
    assert torch.equal(projection(pooled), functional.linear(pooled, projection.linear.weight, projection.linear.bias))


def convolved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """A 3×3 convolution of an image [channels, rows, columns] with a margin of 1, value by value."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    out = np.empty((len(weight), -(-x.shape[1] // stride), -(-x.shape[2] // stride)))
    for channel, row, column in np.ndindex(out.shape):
        seen = padded[:, stride * row : stride * row + 3, stride * column : stride * column + 3]
        out[channel, row, column] = (weight[channel] * seen).sum() + bias[channel]
    return out


def test_resnet20_is_what_its_files_describe_layer_by_layer():
    encoder = filled(ResNet20(9, units=(1, 2), width=2)).double()
    state = {name: value.numpy() for name, value in encoder.state_dict().items()}
    features = noise(1, 11, 9).double()

    def activated(name: str, x: np.ndarray, conv: str, stride: int = 1) -> np.ndarray:
        weight = state[f"{conv}.weight"]
        y = convolved(x, weight, state.get(f"{conv}.bias", np.zeros(len(weight))), stride)
        return np.where(y > 0, y, state[f"{name}.weight"][:, None, None] * y)

    x = features[0].numpy().T[None]
    for entry, units in ((0, (2,)), (3, (5, 6))):
        x = activated(f"stages.{entry + 1}", x, f"stages.{entry}", stride=2)
        for unit in units:
            inner = activated(f"stages.{unit}.layers.1", x, f"stages.{unit}.layers.0")
            x = x + activated(f"stages.{unit}.layers.3", inner, f"stages.{unit}.layers.2")
    np.testing.assert_allclose(encoder(features)[0].numpy(), x.reshape(-1, x.shape[2]), rtol=1e-10, atol=1e-12)
