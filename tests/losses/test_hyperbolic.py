"""Hyperbolic additive margin: slow loops in the ball, laws of its distance, and float32 at its edge."""

import math

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, assert_by_loops, build, drawn, speakers
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.hyperbolic import HyperbolicAam


def within(point: list[float], c: float) -> list[float]:
    most = (1 - 1e-5) / math.sqrt(c)
    length = math.hypot(*point)
    return [x * most / length for x in point] if length > most else point


def slow_distance(x: list[float], w: list[float], c: float) -> float:
    x, w = within(x, c), within(w, c)
    apart = sum((a - b) ** 2 for a, b in zip(x, w, strict=True))
    room = (1 - c * sum(a * a for a in x)) * (1 - c * sum(b * b for b in w))
    return math.acosh(1 + 2 * c * apart / room) / math.sqrt(c)


@pytest.mark.parametrize("c", [1.0, 0.3])
def test_logits_and_loss_are_the_published_equation_by_loops(c):
    head = build("hyperbolic")
    head.curvature = c

    def slow(head: nn.Module, row: list[float], true: int) -> list[float]:
        distances = [slow_distance(row, w, c) for w in head.weight.tolist()]
        distances[true] += head.margin.item()
        return [-head.scale * distance for distance in distances]

    assert_by_loops(head, slow)


def test_from_the_origin_the_distance_is_that_of_the_radius():
    head = HyperbolicAam(2, 2, scale=1.0).double()
    head.load_state_dict({**head.state_dict(), "weight": torch.tensor([[0.5, 0.0], [0.0, -0.9]])})
    found = -head.logits(torch.zeros(1, 2))[0]
    torch.testing.assert_close(found, 2 * torch.tensor([0.5, 0.9], dtype=torch.float64).atanh())


def test_a_nearly_flat_ball_has_twice_the_euclidean_distance():
    head, embedding = build("hyperbolic"), drawn(BATCH, DIM)
    head.curvature = 1e-9
    wanted = -2 * head.scale * torch.cdist(embedding, head.weight)
    torch.testing.assert_close(head.logits(embedding), wanted, rtol=1e-6, atol=1e-6)


def test_beyond_the_edge_the_length_of_an_embedding_does_not_matter():
    head, embedding = build("hyperbolic"), 50 * drawn(BATCH, DIM)
    torch.testing.assert_close(head(3 * embedding, speakers()), head(embedding, speakers()))


def test_float32_keeps_two_digits_also_between_points_that_meet_at_the_edge():
    head = build("hyperbolic")
    head.weight.data.mul_(30)
    embedding = head.weight.detach()[speakers()] + 0.001 * drawn(BATCH, DIM)
    wanted = head.logits(embedding)
    torch.testing.assert_close(head.float().logits(embedding.float()).double(), wanted, rtol=0.02, atol=0.05)


def test_class_weights_begin_near_the_origin():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weight = HyperbolicAam(200, 300).weight
    assert weight.std().item() == pytest.approx(1e-3, rel=0.02)


def test_a_ball_without_curvature_is_refused():
    with pytest.raises(BadInput, match="curvature: 0 is not a number above 0"):
        HyperbolicAam(DIM, CLASSES, curvature=0.0)
