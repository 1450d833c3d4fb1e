"""A-Softmax: slow loops of the published equation, its limits, and λ."""

import math
from functools import partial

import pytest
import torch
from head_cases import BATCH, DIM, assert_by_loops, build, drawn, slow_cosine, speakers
from torch import nn
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.losses.a_softmax import ASoftmax, multiplied


def slow(head: nn.Module, row: list[float], true: int) -> list[float]:
    length, lamb, m = math.hypot(*row), float(head.plain), head.margin
    cosines = [slow_cosine(row, weight) for weight in head.weight.tolist()]
    angle = math.acos(max(-1.0, min(1.0, cosines[true])))
    k = next(k for k in range(m) if angle <= (k + 1) * math.pi / m)
    psi = (-1) ** k * math.cos(m * angle) - 2 * k
    logits = [length * cosine for cosine in cosines]
    logits[true] = length * (lamb * cosines[true] + psi) / (1 + lamb)
    return logits


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_logits_and_loss_are_the_published_equation_by_loops(m):
    assert_by_loops(build(f"a-softmax {m}"), slow)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_the_multiplied_angle_falls_from_1_to_1_less_twice_m_without_a_jump(m):
    angle = torch.linspace(0, math.pi, 100_001, dtype=torch.float64)
    found = multiplied(angle.cos(), m)
    assert found[0].item() == pytest.approx(1)
    assert found[-1].item() == pytest.approx(1 - 2 * m)
    assert (found.diff() <= 1e-12).all()
    assert (found.diff() > -2 * m * math.pi / 100_000).all()


def test_with_m_1_it_is_softmax_with_unit_class_weights_and_no_bias():
    head, embedding = build("a-softmax 1"), 3 * drawn(BATCH, DIM)
    logits = embedding @ (head.weight / head.weight.norm(dim=1, keepdim=True)).T
    torch.testing.assert_close(head.logits(embedding), logits)
    torch.testing.assert_close(head(embedding, speakers()), functional.cross_entropy(logits, speakers()))


def test_a_schedule_sets_lambda_and_a_large_one_asks_for_nothing():
    head, embedding = build("a-softmax 4"), drawn(BATCH, DIM)
    head.set_margin(1e9)
    assert head.plain == 1e9
    torch.testing.assert_close(head.penalised(embedding, speakers()), head.logits(embedding), rtol=1e-7, atol=1e-7)
    losses = []
    for lamb in (1000.0, 5.0, 0.0):
        head.set_margin(lamb)
        losses.append(head(embedding, speakers()))
    assert losses[0] < losses[1] < losses[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 5}, "margin: 5 is not 1, 2, 3 or 4"),
        ({"margin": 0}, "margin: 0 is not 1, 2, 3 or 4"),
        ({"plain": -1.0}, "plain: -1 is not 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(BadInput, match=message):
        partial(ASoftmax, 5, 3)(**options)
