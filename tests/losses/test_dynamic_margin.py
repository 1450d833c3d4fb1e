"""Dynamic-margin softmax: slow loops, and a margin that grows with the angle."""

import math

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, assert_by_loops, build, drawn, slow_cosine, speakers
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.dynamic_margin import DynamicMargin


def slow(head: nn.Module, row: list[float], true: int) -> list[float]:
    cosines = [slow_cosine(row, weight) for weight in head.weight.tolist()]
    cosines[true] -= head.margin.item() * math.exp(1 - cosines[true]) / head.divisor
    return [head.scale * cosine for cosine in cosines]


def test_logits_and_loss_are_the_published_equation_by_loops():
    assert_by_loops(build("dynamic"), slow)


def test_the_margin_is_m_by_lambda_beside_the_class_and_more_the_farther():
    head = DynamicMargin(2, 2, margin=0.2, scale=30.0, divisor=2.0)
    head.load_state_dict({**head.state_dict(), "weight": torch.tensor([[1.0, 0.0], [0.0, 1.0]])})
    embedding = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    asked = (head.logits(embedding) - head.penalised(embedding, torch.tensor([0, 0, 0])))[:, 0] / 30
    torch.testing.assert_close(asked, 0.1 * torch.tensor([1.0, math.e, math.e**2]))


def test_a_margin_of_0_is_the_softmax_of_scaled_cosines():
    head, embedding = build("dynamic"), drawn(BATCH, DIM)
    head.set_margin(0.0)
    wanted = nn.functional.cross_entropy(head.logits(embedding), speakers())
    torch.testing.assert_close(head(embedding, speakers()), wanted)


def test_a_divisor_that_is_none_is_refused():
    with pytest.raises(BadInput, match="divisor: 0 is not a number above 0"):
        DynamicMargin(DIM, CLASSES, divisor=0.0)
