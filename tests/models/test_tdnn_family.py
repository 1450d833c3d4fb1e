"""What is particular to the networks of the TDNN family: forms, receptive fields, orders."""

from functools import partial

import pytest
import torch
from seeded import noise, seeded
from small import Frames
from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import TwoLayer
from voxsphere.models.speaker import SpeakerModel
from voxsphere.pretrained.foreign.speaker_verification import tdnn_state

KERNELS, DILATIONS, WIDTHS = (5, 3, 3, 1, 1), (1, 2, 3, 1, 1), (7, 6, 6, 6, 6, 8)


def unfolded(x: Tensor, weight: Tensor, bias: Tensor, kernel: int, dilation: int) -> Tensor:
    """A TDNN layer as a matrix on each window: "batch frames dim", weight [channels, context · dim]."""
    span = (kernel - 1) * dilation
    windows = [x[:, t : t + span + 1 : dilation].flatten(1) for t in range(x.shape[1] - span)]
    return torch.stack([window @ weight.T + bias for window in windows], dim=1)


def two_dimensional(x: Tensor, weight: Tensor, bias: Tensor, kernel: int, dilation: int) -> Tensor:
    """A TDNN layer as a 2-D convolution over frames and bands: weight [channels, 1, context, dim]."""
    image = functional.conv2d(x[:, None], weight, bias, dilation=(dilation, 1))
    return image.squeeze(-1).transpose(1, 2)


def one_dimensional(x: Tensor, weight: Tensor, bias: Tensor, kernel: int, dilation: int) -> Tensor:
    """A TDNN layer as a 1-D convolution: weight [channels, dim, context]."""
    return functional.conv1d(x.transpose(1, 2), weight, bias, dilation=dilation).transpose(1, 2)


FORMS = {
    "TDNN_v2": (unfolded, "kernel", lambda out, dim, kernel: (out, kernel * dim)),
    "TDNN_v4": (two_dimensional, "tdnn_layer", lambda out, dim, kernel: (out, 1, kernel, dim)),
    "TDNN_v5": (one_dimensional, "kernel", lambda out, dim, kernel: (out, dim, kernel)),
}


def foreign(form: str) -> dict[str, Tensor]:
    """Weights in the shapes of one of the three forms, in float64, as a checkpoint names them."""
    _, name, shape = FORMS[form]
    state = {"classifier.weight": noise(2, 3)}
    for i, kernel in enumerate(KERNELS):
        weight = noise(*shape(WIDTHS[i + 1], WIDTHS[i], kernel), seed=i)
        state[f"frame{i + 1}.{name}.weight"] = weight / weight[0].numel() ** 0.5
        state[f"frame{i + 1}.{name}.bias"] = 0.3 * noise(WIDTHS[i + 1], seed=10 + i)
        state |= batch_norm(f"frame{i + 1}.bn", WIDTHS[i + 1])
    for layer, (out, dim) in {"segment6": (4, 16), "segment7": (3, 4)}.items():
        state[f"{layer}.0.weight"], state[f"{layer}.0.bias"] = noise(out, dim, seed=dim), noise(out, seed=out)
        state |= batch_norm(f"{layer}.2", out)
    return {k: v.double() if v.is_floating_point() else v for k, v in state.items()}


def batch_norm(name: str, dim: int) -> dict[str, Tensor]:
    seed = len(name) + dim
    values = {"weight": 1 + 0.1 * noise(dim, seed=seed), "bias": noise(dim, seed=seed + 1)}
    values |= {"running_mean": noise(dim, seed=seed + 2), "running_var": 1 + noise(dim, seed=seed + 3).square()}
    return {f"{name}.{k}": v for k, v in values.items()} | {f"{name}.num_batches_tracked": torch.tensor(7)}


def slow(form: str, state: dict[str, Tensor], features: Tensor) -> Tensor:
    """The whole network in the layer form given, its batch norms and its pooling written out."""
    layer, name, _ = FORMS[form]

    def normed(x: Tensor, at: str) -> Tensor:
        x = (x - state[f"{at}.running_mean"]) / (state[f"{at}.running_var"] + 1e-5).sqrt()
        return x * state[f"{at}.weight"] + state[f"{at}.bias"]

    x = features
    for i, (kernel, dilation) in enumerate(zip(KERNELS, DILATIONS, strict=True), 1):
        x = layer(x, state[f"frame{i}.{name}.weight"], state[f"frame{i}.{name}.bias"], kernel, dilation)
        x = normed(x.relu(), f"frame{i}.bn")
    x = torch.cat([x.mean(1), x.std(1)], dim=1)
    for segment in ("segment6", "segment7"):
        x = normed((x @ state[f"{segment}.0.weight"].T + state[f"{segment}.0.bias"]).relu(), f"{segment}.2")
    return x


def small_xvector() -> SpeakerModel:
    return SpeakerModel(
        features=partial(Frames, dim=7),
        encoder=partial(Tdnn, width=6, last=8),
        pooling=partial(StatsPooling, floor=0.0),
        projection=partial(TwoLayer, hidden=4, dim=3),
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_three_historical_forms_of_a_tdnn_are_one_network(form):
    state, model = foreign(form), small_xvector().double().eval()
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    model.load_state_dict(tdnn_state(state, shapes, where="tdnn.pth"))
    features = noise(3, 40, 7).double()
    torch.testing.assert_close(model(features), slow(form, state, features), rtol=1e-9, atol=1e-9)


def test_another_networks_file_is_refused_with_the_name_of_the_weight():
    model = small_xvector()
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    state = foreign("TDNN_v2")
    with pytest.raises(BadInput, match=r"tdnn.pth: fc1.weight is not a weight of this network"):
        tdnn_state({**state, "fc1.weight": torch.ones(2, 3)}, shapes, where="tdnn.pth")
    with pytest.raises(BadInput, match=r"tdnn.pth: frame1.kernel.weight has the shape \(6, 40\)"):
        tdnn_state({**state, "frame1.kernel.weight": torch.ones(6, 40)}, shapes, where="tdnn.pth")


def test_an_order_of_layers_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(BadInput, match="no order of layers 'norm-conv'; there are: conv-relu-norm, conv-norm-relu"):
        Tdnn(20, order="norm-conv")
    with pytest.raises(BadInput, match="5 kernels and 2 dilations"):
        Tdnn(20, dilations=(1, 2))


def test_mirrored_edges_keep_the_length_and_leave_the_inner_frames_as_they_are():
    plain, mirrored = Tdnn(20, width=8, last=12).eval(), Tdnn(20, width=8, last=12, reflect=True).eval()
    plain.load_state_dict(seeded(plain))
    mirrored.load_state_dict(plain.state_dict())
    features = noise(2, 30, 20)
    assert mirrored(features).shape == (2, 12, 30)
    torch.testing.assert_close(mirrored(features)[..., 7:-7], plain(features), rtol=1e-5, atol=1e-5)
    assert mirrored(features[:, :4]).shape == (2, 12, 4)
    with pytest.raises(BadInput, match="3 frames are too few: the network looks at 4 at once"):
        mirrored(features[:, :3])
