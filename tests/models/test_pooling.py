"""What every pooling promises: the slow oracle's numbers, and what a weight may and may not do."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pooling_oracles import POOLINGS
from seeded import noise, seeded
from torch import Tensor, nn

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.errors import BadInput

DIM, FRAMES = 6, 17
UNORDERED = [name for name, case in POOLINGS.items() if not case.ordered]
INDIFFERENT_TO_SPLITTING = [name for name, case in POOLINGS.items() if not case.counts]


@pytest.fixture(params=POOLINGS)
def name(request) -> str:
    return request.param


def build(name: str) -> nn.Module:
    pooling = POOLINGS[name].build(in_dim=DIM)
    pooling.load_state_dict(seeded(pooling))
    return pooling.double().eval()


def frames() -> Tensor:
    return noise(3, DIM, FRAMES).double()


def weights() -> Tensor:
    """Of all sizes; each row ends on two frames of weight 0 and has another at the beginning."""
    weight = noise(3, FRAMES, seed=1).double().abs()
    weight[:, [2, -2, -1]] = 0
    return weight


def test_every_pooling_of_the_catalogue_is_tested_here():
    poolings = {name for name, part in CATALOGUE.items() if ".poolings." in part.__module__}
    assert {name.partition(",")[0] for name in POOLINGS} == poolings
    assert all(type(build(name)) is CATALOGUE[name.partition(",")[0]] for name in POOLINGS)


@pytest.mark.parametrize("weight", [None, weights()], ids=["all alike", "weighted"])
def test_pooling_matches_a_slow_loop(name, weight):
    pooling = build(name).requires_grad_(False)
    used = torch.ones(3, FRAMES) if weight is None else weight
    pairs = zip(frames(), used, strict=True)
    expected = [POOLINGS[name].oracle(pooling, x.T.tolist(), w.tolist()) for x, w in pairs]
    pooled = pooling(frames(), weight)
    assert pooled.shape == (3, pooling.dim)
    torch.testing.assert_close(pooled, torch.tensor(expected, dtype=torch.float64), rtol=1e-9, atol=1e-11)


def test_no_weight_is_the_same_as_equal_weights(name):
    pooling = build(name)
    torch.testing.assert_close(pooling(frames(), torch.full((3, FRAMES), 0.3).double()), pooling(frames()))


def test_the_scale_of_the_weights_does_not_matter(name):
    pooling = build(name)
    torch.testing.assert_close(pooling(frames(), 7 * weights()), pooling(frames(), weights()))


def test_weights_do_matter(name):
    pooling = build(name)
    assert (pooling(frames(), weights()) - pooling(frames())).norm() > 0.1


def test_a_tiny_weight_is_nearly_none_but_where_any_weight_at_all_counts(name):
    pooling, tiny = build(name), weights().clamp(min=1e-12)
    jumps = name in ("LastFramePooling", "LstmAttentionPooling", "MaxStatsPooling")
    assert torch.allclose(pooling(frames(), tiny), pooling(frames(), weights()), rtol=1e-6) != jumps


@pytest.mark.parametrize("held", [0.0, 100.0, -1e30, torch.inf, torch.nan])
def test_what_frames_of_weight_zero_hold_reaches_nothing(name, held):
    pooling, weight, results = build(name), weights(), []
    for content in (0.5, held):
        x = frames().masked_fill((weight == 0)[:, None], content).requires_grad_()
        w = weight.clone().requires_grad_()
        pooled = pooling(x, w)
        results.append((pooled, *torch.autograd.grad(pooled.square().sum(), [x, w], materialize_grads=True)))
    assert all(result.isfinite().all() for result in results[1])
    for first, second in zip(*results, strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("name", POOLINGS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_padding_changes_nothing_at_either_end(name, data):
    count, before, after = (data.draw(st.integers(least, 12)) for least in (1, 0, 0))
    scale = data.draw(st.sampled_from([1e-3, 1.0, 1e3]))
    soft = data.draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count))
    whole = noise(1, DIM, before + count + after, seed=data.draw(st.integers(0, 99))).double()
    own = scale * whole[..., before : before + count]
    whole = torch.cat([whole[..., :before], own, 50 * whole[..., before + count :]], dim=-1)
    weight = torch.tensor([[0.0] * before + soft + [0.0] * after], dtype=torch.float64)
    pooling = build(name)
    expected = pooling(own, torch.tensor([soft], dtype=torch.float64))
    torch.testing.assert_close(pooling(whole, weight), expected, rtol=1e-7, atol=1e-9)


def test_padding_changes_nothing_in_single_precision(name):
    pooling = build(name).float()
    padded = torch.cat([frames(), 100 * noise(3, DIM, 9, seed=2)], dim=-1).float()
    mask = torch.cat([torch.ones(3, FRAMES), torch.zeros(3, 9)], dim=-1)
    torch.testing.assert_close(pooling(padded, mask), pooling(frames().float()), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", UNORDERED)
def test_the_order_of_the_frames_does_not_matter(name):
    pooling, order = build(name), torch.randperm(FRAMES, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(pooling(frames()[..., order], weights()[:, order]), pooling(frames(), weights()))


@pytest.mark.parametrize("name", INDIFFERENT_TO_SPLITTING)
def test_a_frame_of_weight_two_is_the_frame_twice(name):
    pooling, weight = build(name), torch.ones(3, FRAMES).double()
    weight[:, 4] = 2
    twice = torch.cat([frames()[..., 4:5], frames()], dim=-1)
    torch.testing.assert_close(pooling(frames(), weight), pooling(twice))


@pytest.mark.parametrize("weight", [None, torch.full((3, 1), 0.2)], ids=["all alike", "weighted"])
def test_one_frame_is_enough_and_has_finite_gradients(name, weight):
    pooling, x = build(name).float(), frames()[..., :1].float().requires_grad_()
    pooled = pooling(x, weight)
    assert pooled.isfinite().all()
    (pooled * noise(*pooled.shape)).sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("held", [0.0, 0.5])
@pytest.mark.parametrize("weight", [None, weights()[:2]], ids=["all alike", "weighted"])
def test_constant_frames_have_finite_gradients(name, weight, held, dtype):
    pooling, x = build(name).to(dtype), torch.full((2, DIM, FRAMES), held, dtype=dtype, requires_grad=True)
    pooled = pooling(x, None if weight is None else weight.to(dtype))
    (pooled * noise(2, pooling.dim).to(dtype)).sum().backward()
    assert pooled.isfinite().all()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", [name for name in POOLINGS if "Lstm" not in name])  # torch's own refuses on some CPUs
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("weight", [None, weights()[:2].float()], ids=["all alike", "weighted"])
def test_constant_frames_have_finite_gradients_under_autocast(name, weight, dtype):
    pooling, x = build(name).float(), torch.full((2, DIM, FRAMES), 0.5, requires_grad=True)
    with torch.autocast("cpu", dtype):
        pooled = pooling(x, weight)
    (pooled * noise(2, pooling.dim)).sum().backward()
    assert pooled.isfinite().all()
    assert x.grad.isfinite().all()


def test_gradients_are_those_of_finite_differences(name):
    x, weight = frames()[:2, :, :6].requires_grad_(), weights()[:2, 3:9].requires_grad_()
    assert torch.autograd.gradcheck(build(name), (x, weight))
    assert torch.autograd.gradcheck(build(name), (x,))


def test_bf16_gives_about_the_same(name):
    pooling = build(name)
    precise, rough = pooling(frames(), weights()), pooling.bfloat16()(frames().bfloat16(), weights().bfloat16())
    assert rough.dtype == torch.bfloat16
    assert (rough - precise).norm() < 0.05 * precise.norm()


def test_a_row_whose_weights_are_all_zero_gives_nan_and_the_others_do_not(name):
    pooling, weight = build(name), weights()
    weight[1] = 0
    pooled = pooling(frames(), weight)
    assert pooled[1].isnan().all()
    torch.testing.assert_close(pooled[[0, 2]], pooling(frames(), weights())[[0, 2]])


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_a_silent_row_leaves_the_others_all_that_they_can_be_learnt_from(name, training, monkeypatch):
    # The noise of training would be another with a row more.
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    results = []
    for rows in ([0, 2], [0, 1, 2]):
        pooling, x, weight = build(name).train(training), frames().requires_grad_(), weights()
        weight[1] = 0
        pooled = pooling(x[rows], weight[rows])[[0, -1]]
        (pooled * noise(2, pooling.dim)).sum().backward()
        results.append((pooled, x.grad, *(parameter.grad for parameter in pooling.parameters()), *pooling.buffers()))
    for without, beside_it in zip(*results, strict=True):
        assert beside_it.isfinite().all()
        torch.testing.assert_close(beside_it, without)


def test_what_a_pooling_cannot_take_is_refused_in_one_line(name):
    pooling = build(name)
    with pytest.raises(BadInput, match=rf"^the pooling takes \[batch, 6, frames\], .* not \[3, 5, {FRAMES}\]$"):
        pooling(frames()[:, 1:])
    with pytest.raises(BadInput, match=r"one frame or more, not \[3, 6, 0\]$"):
        pooling(frames()[..., :0])
    with pytest.raises(BadInput, match=r"^weights of shape \[3, 16\] for 3 rows of 17 frames; "):
        pooling(frames(), weights()[:, 1:])
    with pytest.raises(BadInput, match=r"^weights of shape \[17\] for 3 rows of 17 frames; "):
        pooling(frames(), weights()[0])
    for wrong in (-1e-3, torch.inf, torch.nan):
        with pytest.raises(BadInput, match=r"^a frame's weight is below 0, infinite or NaN; weights are 0 or more"):
            pooling(frames(), weights().index_fill(1, torch.tensor(5), wrong))


# Torch's own: nn.LSTM lays its weights anew while it is traced, and the export warns of it.
@pytest.mark.filterwarnings("ignore:The tensor attributes self.*_flat_weights:UserWarning")
@pytest.mark.parametrize("weight", [None, weights()], ids=["all alike", "weighted"])
def test_a_pooling_can_be_exported_as_one_graph(name, weight):
    pooling = build(name)
    graph = torch.export.export(pooling, (frames(), weight)).module()
    torch.testing.assert_close(graph(frames(), weight), pooling(frames(), weight))


@pytest.mark.parametrize("wrong", [-1e-3, torch.inf, torch.nan])
def test_where_weights_are_not_looked_at_a_wrong_one_gives_nan_for_its_row_alone(name, wrong, monkeypatch):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    pooling, x, weight = build(name), frames().requires_grad_(), weights()
    weight[1, 5] = wrong
    pooled = pooling(x, weight)
    assert pooled[1].isnan().all()
    torch.testing.assert_close(pooled[[0, 2]], pooling(x, weights())[[0, 2]])
    (pooled[[0, 2]] * noise(2, pooling.dim)).sum().backward()
    assert all(tensor.grad.isfinite().all() for tensor in (x, *pooling.parameters()))
