"""Circle loss over classes: slow loops, the paper's form of it, and its gradient with the weights held."""

import math

import pytest
import torch
from head_cases import BATCH, DIM, assert_by_loops, build, drawn, slow_cosine, speakers
from torch import nn


def slow(head: nn.Module, row: list[float], true: int) -> list[float]:
    m, logits = head.margin.item(), []
    for c, weight in enumerate(head.weight.tolist()):
        s = slow_cosine(row, weight)
        logits.append(max(0.0, 1 + m - s) * (s - (1 - m)) if c == true else max(0.0, s + m) * (s - m))
    return [head.scale * z for z in logits]


def test_logits_and_loss_are_the_published_equation_by_loops():
    assert_by_loops(build("circle"), slow)


def test_the_loss_is_the_papers_log_of_one_and_products():
    head, embedding = build("circle"), drawn(BATCH, DIM)
    total = 0.0
    for row, true in zip(embedding.tolist(), speakers().tolist(), strict=True):
        z = slow(head, row, true)
        negatives = math.fsum(math.exp(each) for c, each in enumerate(z) if c != true)
        total += math.log(1 + negatives * math.exp(-z[true]))
    assert head(embedding, speakers()).item() == pytest.approx(total / BATCH, rel=1e-10)


def test_the_gradient_is_that_of_finite_differences_with_the_weights_held():
    head, embedding = build("circle"), drawn(BATCH, DIM).requires_grad_()
    (found,) = torch.autograd.grad(head(embedding, speakers()), embedding)
    m, true = head.margin, nn.functional.one_hot(speakers(), len(head.weight)).bool()

    def cosines(x: torch.Tensor) -> torch.Tensor:
        return nn.functional.cosine_similarity(x[:, None], head.weight.detach()[None], dim=2)

    held = cosines(embedding.detach())
    factor = torch.where(true, (1 + m - held).relu(), (held + m).relu())

    def loss(x: torch.Tensor) -> torch.Tensor:
        z = head.scale * factor * torch.where(true, cosines(x) - 1 + m, cosines(x) - m)
        return nn.functional.cross_entropy(z, speakers())

    step, wanted = 1e-6, torch.zeros_like(found)
    for place in range(embedding.numel()):
        moved = torch.zeros(embedding.numel(), dtype=torch.float64)
        moved[place] = step
        moved = moved.view_as(embedding)
        slope = (loss(embedding.detach() + moved) - loss(embedding.detach() - moved)) / (2 * step)
        wanted.view(-1)[place] = slope
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-7)
