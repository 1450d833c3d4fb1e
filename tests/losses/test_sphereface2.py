"""SphereFace2: slow loops of the binary losses, and its log-odds."""

import math

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, build, drawn, situations, slow_cosine, soft_targets, speakers
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.sphereface2 import SphereFace2


def slow(head: nn.Module, row: list[float], true: int) -> float:
    s, m, b, share = head.scale, head.margin.item(), head.bias.item(), head.balance
    total = 0.0
    for c, weight in enumerate(head.weight.tolist()):
        g = 2 * ((slow_cosine(row, weight) + 1) / 2) ** head.power - 1
        if c == true:
            total += share * math.log1p(math.exp(-(s * (g - m) + b)))
        else:
            total += (1 - share) * math.log1p(math.exp(s * (g + m) + b))
    return total


def test_the_loss_of_classes_and_of_soft_targets_is_the_published_equation_by_loops():
    head = build("sphereface2")
    for embedding in situations(head).values():
        rows = embedding.tolist()
        wanted = sum(slow(head, row, c) for row, c in zip(rows, speakers().tolist(), strict=True)) / BATCH
        assert head(embedding, speakers()).item() == pytest.approx(wanted, rel=1e-10)
        shares = soft_targets().tolist()
        wanted = sum(q * slow(head, row, c) for row, all_ in zip(rows, shares, strict=True) for c, q in enumerate(all_))
        assert head(embedding, soft_targets()).item() == pytest.approx(wanted / BATCH, rel=1e-10)


def test_logits_are_log_odds_in_the_order_of_the_cosines():
    head, embedding = build("sphereface2"), drawn(BATCH, DIM)
    cosines = nn.functional.cosine_similarity(embedding[:, None], head.weight[None], dim=2)
    wanted = head.scale * (2 * ((cosines + 1) / 2) ** 3 - 1) + head.bias
    torch.testing.assert_close(head.logits(embedding), wanted)
    assert (head.logits(embedding).argsort(1) == cosines.argsort(1)).all()


def test_a_class_answers_by_itself_whatever_the_others_are():
    head, embedding = build("sphereface2"), drawn(BATCH, DIM)
    before = torch.autograd.grad(head(embedding, speakers()), head.weight)[0][2]
    head.weight.data[4] += 1.0
    after = torch.autograd.grad(head(embedding, speakers()), head.weight)[0][2]
    torch.testing.assert_close(before, after)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"balance": 1.0}, "balance: 1 is not between 0 and 1"),
        ({"power": 0.5}, "power: 0.5 is not 1 or more"),
        ({"margin": 2.5}, "margin: 2.5 is not within 0 and 2"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(BadInput, match=message):
        SphereFace2(DIM, CLASSES, **options)
