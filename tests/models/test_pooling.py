"""Poolings: slow oracles, and what a weight may and may not do."""

from functools import partial

import pytest
import torch
from seeded import noise, seeded
from torch import Tensor, nn

from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling

DIM, FRAMES = 5, 17
POOLINGS = {
    "mean": MeanPooling,
    "stats": StatsPooling,
    "biased stats": partial(StatsPooling, unbiased=False),
    "attentive": partial(AttentiveStatsPooling, bottleneck=4),
    "attentive with context": partial(AttentiveStatsPooling, bottleneck=4, context=True),
}
# The unbiased deviation counts frames, and a frame of weight 2 is one frame.
INDIFFERENT_TO_SPLITTING = ("mean", "biased stats", "attentive")


@pytest.fixture(params=POOLINGS)
def name(request) -> str:
    return request.param


def build(name: str) -> nn.Module:
    pooling = POOLINGS[name](in_dim=DIM)
    pooling.load_state_dict(seeded(pooling))
    return pooling.double()


def frames() -> Tensor:
    return noise(3, DIM, FRAMES).double()


def weights() -> Tensor:
    return noise(3, FRAMES, seed=1).double().abs()


def test_no_weight_is_the_same_as_equal_weights(name):
    pooling = build(name)
    torch.testing.assert_close(pooling(frames(), torch.full((3, FRAMES), 0.3).double()), pooling(frames()))


def test_frames_of_weight_zero_change_nothing(name):
    pooling = build(name)
    padded = torch.cat([frames(), 100 * noise(3, DIM, 9, seed=2).double()], dim=-1)
    weight = torch.cat([weights(), torch.zeros(3, 9).double()], dim=-1)
    torch.testing.assert_close(pooling(padded, weight), pooling(frames(), weights()))
    ones = torch.cat([torch.ones(3, FRAMES), torch.zeros(3, 9)], dim=-1)
    torch.testing.assert_close(pooling(padded, ones), pooling(frames()))


def test_the_scale_of_the_weights_does_not_matter(name):
    pooling = build(name)
    torch.testing.assert_close(pooling(frames(), 7 * weights()), pooling(frames(), weights()))


def test_weights_do_matter(name):
    pooling = build(name)
    assert (pooling(frames(), weights()) - pooling(frames())).norm() > 0.1


@pytest.mark.parametrize("name", INDIFFERENT_TO_SPLITTING)
def test_a_frame_of_weight_two_is_the_frame_twice(name):
    pooling, weight = build(name), torch.ones(3, FRAMES).double()
    weight[:, 4] = 2
    twice = torch.cat([frames(), frames()[..., 4:5]], dim=-1)
    torch.testing.assert_close(pooling(frames(), weight), pooling(twice))


def test_one_frame_has_no_deviation_and_finite_gradients(name):
    pooling, x = build(name), frames()[..., :1].requires_grad_()
    pooled = pooling(x)
    pooled.sum().backward()
    torch.testing.assert_close(pooled[:, :DIM], x[..., 0])
    assert (pooled[:, DIM:].abs() < 1e-3).all()
    assert x.grad.isfinite().all()


def test_statistics_are_those_of_the_textbook():
    expected = torch.cat([frames().mean(-1), frames().std(-1)], dim=1)
    torch.testing.assert_close(build("stats")(frames()), expected)


def test_weighted_statistics_match_a_slow_loop():
    pooled = build("stats")(frames(), weights())
    for x, w, row in zip(frames(), weights(), pooled, strict=True):
        total, squares = float(w.sum()), float(w.square().sum())
        for channel in range(DIM):
            mean = sum(float(w[t] * x[channel, t]) for t in range(FRAMES)) / total
            spread = sum(float(w[t]) * (float(x[channel, t]) - mean) ** 2 for t in range(FRAMES))
            assert float(row[channel]) == pytest.approx(mean)
            assert float(row[DIM + channel]) == pytest.approx((spread / (total - squares / total)) ** 0.5)


def test_weighted_attention_matches_a_slow_loop():
    pooling = build("attentive")
    hidden, score = pooling.hidden, pooling.score
    for x, w, row in zip(frames(), weights(), pooling(frames(), weights()), strict=True):
        scores = [score.weight[..., 0] @ (hidden.weight[..., 0] @ x[:, t] + hidden.bias).tanh() for t in range(FRAMES)]
        attention = torch.stack([w[t] * (scores[t] + score.bias).exp() for t in range(FRAMES)], dim=1)
        attention = attention / attention.sum(1, keepdim=True)
        mean = (attention * x).sum(1)
        deviation = ((attention * x**2).sum(1) - mean**2).sqrt()
        torch.testing.assert_close(row, torch.cat([mean, deviation]), rtol=1e-5, atol=1e-6)
