"""What is particular to the networks of the TDNN family: forms, receptive fields, orders."""

from functools import partial

import pytest
import torch
from seeded import noise, seeded
from small import Frames
from speaker_verification import tdnn_state
from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.models.encoders.aret_tdnn import AretTdnn
from voxsphere.models.encoders.dtdnn import Dtdnn
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.encoders.etdnn import Etdnn
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import TwoLayer
from voxsphere.models.speaker import SpeakerModel

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


@pytest.mark.parametrize("in_dim", [23, 64, 160])
def test_one_more_feature_is_2560_more_weights_of_a_tdnn(in_dim):
    with torch.device("meta"):
        smaller, larger = (sum(p.numel() for p in Tdnn(dim).parameters()) for dim in (in_dim, in_dim + 1))
    assert larger - smaller == 5 * 512 == 2560


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


def test_the_extended_tdnn_sees_twenty_three_frames():
    encoder = Etdnn(20, width=8, last=12).eval()
    encoder.load_state_dict(seeded(encoder))
    features = noise(1, 40, 20)
    assert encoder(features).shape == (1, 12, 18)
    torch.testing.assert_close(encoder(features[:, 5:28]), encoder(features)[..., 5:6])
    with pytest.raises(BadInput, match="22 frames are too few: the network looks at 23 at once"):
        encoder(features[:, :22])


def test_every_layer_of_a_dense_block_adds_channels_and_leaves_those_before_as_they_are():
    encoder = Dtdnn(20, width=8, growth=4, bottleneck=8, layers=(3, 2)).eval()
    encoder.load_state_dict(seeded(encoder))
    entry = encoder.entry(noise(2, 30, 20).transpose(1, 2))
    grown = [entry]
    for layer in encoder.blocks[0]:
        grown.append(layer(torch.cat(grown, dim=1)))
    second = [encoder.narrow[0](torch.cat(grown, dim=1))]
    assert second[0].shape == (2, 10, 30)
    for layer in encoder.blocks[1]:
        second.append(layer(torch.cat(second, dim=1)))
    expected = encoder.narrow[1](torch.cat(second, dim=1))
    torch.testing.assert_close(encoder(noise(2, 30, 20)), expected)
    assert encoder.dim == expected.shape[1] == 9


@pytest.mark.parametrize(("depth", "blocks", "seen"), [(14, 3, 9), (17, 4, 13), (18, 8, 13)])
def test_the_depth_of_an_aret_tdnn_says_how_many_blocks_its_stages_hold(depth, blocks, seen):
    encoder = AretTdnn(20, block="basic", depth=depth, width=8, last=12)
    stages = sum(1 for layer in encoder.layers if hasattr(layer, "conv")) - 2
    assert len(encoder.layers) == stages + blocks + 2
    assert encoder.shortest == seen
    assert encoder(noise(2, 40, 20)).shape == (2, 12, 40 - seen + 1)


def test_a_shuffling_block_passes_half_of_the_channels_and_interleaves_the_halves():
    block = AretTdnn(20, block="shuffle", width=8, last=12).eval().layers[1]
    x = noise(2, 8, 30)
    torch.testing.assert_close(block(x)[:, 0::2], x[:, :4])
    assert torch.equal(block(torch.cat([noise(2, 4, 30, seed=3), x[:, 4:]], dim=1))[:, 1::2], block(x)[:, 1::2])


def test_the_attention_of_a_cbam_block_is_the_mean_of_one_to_frames_and_one_to_channels():
    block = AretTdnn(20, block="cbam", width=8, last=12).eval().layers[1]
    x = noise(2, 8, 30)
    y = block.convs(x)
    frames, channels = y.mean(1), y.mean(2)

    def sigmoid_of_seven(values: Tensor, conv: torch.nn.Conv1d) -> Tensor:
        padded = functional.pad(values, (3, 3))
        summed = sum(conv.weight[0, 0, k] * padded[:, k : k + values.shape[1]] for k in range(7))
        return 1 / (1 + (-summed - conv.bias).exp())

    of_frames = sigmoid_of_seven(frames, block.of_frames)[:, None]
    of_channels = sigmoid_of_seven(channels, block.of_channels)[..., None]
    torch.testing.assert_close(block(x), x + (y * of_frames + y * of_channels) / 2)


def test_a_block_or_a_depth_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(BadInput, match="no block 'res2'; there are: basic, agg, cbam, se, shuffle"):
        AretTdnn(20, block="res2")
    with pytest.raises(BadInput, match="no ARET-TDNN of depth 34; there are: 14, 17, 18"):
        AretTdnn(20, depth=34)


def test_either_the_first_or_the_last_group_of_a_res2_convolution_passes():
    x = noise(2, 12, 30)
    for passed, group in (("first", slice(0, 3)), ("last", slice(9, 12))):
        res2 = EcapaTdnn(20, width=12, last=8, scale=4, squeeze=4, passed=passed).eval().blocks[1].layers[1]
        y = res2(x)
        assert torch.equal(y[:, group], x[:, group])
        order = [1, 2, 3] if passed == "first" else [0, 1, 2]
        earlier = torch.zeros(2, 3, 30)
        for convolve, place in zip(res2.groups, order, strict=True):
            earlier = convolve(x[:, 3 * place : 3 * place + 3] + earlier)
            torch.testing.assert_close(y[:, 3 * place : 3 * place + 3], earlier)


def test_the_two_forms_of_a_res2_convolution_are_one_up_to_the_order_of_channels():
    first, last = (EcapaTdnn(20, width=12, last=8, scale=4, squeeze=4, passed=passed) for passed in ("first", "last"))
    first.load_state_dict(seeded(first))
    state = first.state_dict()
    for name in state:  # the group that passes moves to the other end, in the layer before and in the layer behind
        if ".layers.0." in name and state[name].ndim:
            state[name] = state[name].roll(-3, dims=0)
        if name.endswith(".layers.2.conv.weight"):
            state[name] = state[name].roll(-3, dims=1)
    last.load_state_dict(state)
    features = noise(2, 30, 20)
    torch.testing.assert_close(last.eval()(features), first.eval()(features), rtol=1e-4, atol=1e-5)


def test_an_ecapa_tdnn_with_mirrored_edges_needs_more_frames_than_it_mirrors():
    encoder = EcapaTdnn(20, width=12, last=8, scale=4, squeeze=4, reflect=True).eval()
    assert encoder(noise(1, 5, 20)).shape == (1, 8, 5)
    with pytest.raises(BadInput, match="4 frames are too few: the network looks at 5 at once"):
        encoder(noise(1, 4, 20))


def test_an_ecapa_tdnn_that_cannot_be_built_says_why():
    with pytest.raises(BadInput, match="the 'first' or the 'last', not 'middle'"):
        EcapaTdnn(20, passed="middle")
    with pytest.raises(BadInput, match="12 channels cannot be parted into 8 equal groups"):
        EcapaTdnn(20, width=12)


@pytest.mark.parametrize("form", [{}, {"summed": False, "passed": "first", "reflect": True, "normed": True}])
def test_an_ecapa_tdnn_computed_frame_after_frame_is_the_same_network(form):
    encoder = EcapaTdnn(20, width=32, last=24, scale=8, squeeze=8, **form).double().eval()
    encoder.load_state_dict(seeded(encoder))
    features = noise(3, 30, 20).double()
    with torch.no_grad():
        rows = encoder(features)
    assert rows.is_contiguous()
    torch.testing.assert_close(rows, encoder(features).detach(), rtol=1e-9, atol=1e-9)
