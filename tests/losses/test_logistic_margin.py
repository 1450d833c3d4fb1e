"""Logistic margin: slow loops, its limit, and what is trained how."""

import math

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, assert_by_loops, build, drawn, speakers
from torch import nn

from voxsphere.losses.logistic_margin import LogisticMargin
from voxsphere.losses.margin import AmSoftmax
from voxsphere.train.parameters import parameter_groups


def slow(head: nn.Module, row: list[float], true: int) -> list[float]:
    length = math.hypot(*row)
    logits = []
    for c, weight in enumerate(head.weight.tolist()):
        score = sum(w * x / length for w, x in zip(weight, row, strict=True))
        score = score / math.hypot(*weight) if head.bias is None else score + head.bias[c].item()
        logits.append(head.scale[c].item() * score + head.shift[c].item())
    logits[true] -= head.margin.item()
    return logits


@pytest.mark.parametrize("name", ["logistic", "logistic, normalised"])
def test_logits_and_loss_are_the_published_equation_by_loops(name):
    assert_by_loops(build(name), slow)


def test_the_normalised_form_begins_as_additive_margin_softmax_with_m_times_s():
    head = LogisticMargin(DIM, CLASSES, margin=20.0, scale=50.0, normalised=True)
    other = AmSoftmax(DIM, CLASSES, margin=0.4, scale=50.0)
    other.load_state_dict({**other.state_dict(), "weight": head.weight})
    embedding = drawn(BATCH, DIM).float()
    torch.testing.assert_close(head(embedding, speakers()), other(embedding, speakers()))
    head.set_margin(0.0)
    scaled = 50 * nn.functional.cosine_similarity(embedding[:, None], head.weight[None], dim=2)
    torch.testing.assert_close(head(embedding, speakers()), nn.functional.cross_entropy(scaled, speakers()))


def test_the_length_of_a_class_weight_counts_unless_normalised():
    embedding = drawn(BATCH, DIM)
    for name, counts in (("logistic", True), ("logistic, normalised", False)):
        head = build(name)
        before = head(embedding, speakers())
        head.weight.data[3] *= 2
        assert ((head(embedding, speakers()) - before).abs() > 1e-6) == counts


def test_scales_are_trained_without_decay_and_all_else_as_ever():
    head = LogisticMargin(DIM, CLASSES, scale=50)
    rest, scales = parameter_groups(head)
    assert [*map(id, scales["params"])] == [id(head.scale)]
    assert scales["weight_decay"] == 0.0
    assert {*map(id, rest["params"])} == {id(head.weight), id(head.bias), id(head.shift)}
    assert head.scale.tolist() == [50.0] * CLASSES
    assert head.shift.tolist() == head.bias.tolist() == [0.0] * CLASSES
