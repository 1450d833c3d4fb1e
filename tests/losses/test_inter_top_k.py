"""Inter-top-K AAM: slow loops, the penalty's limits, and which classes it falls on."""

import math

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, assert_by_loops, build, drawn, slow_aam, slow_cosine, speakers
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.inter_top_k import InterTopKAam, before
from voxsphere.losses.sub_centre import SubCentreAam


def slow(head: nn.Module, row: list[float], true: int) -> list[float]:
    rows, k, p = head.weight.tolist(), head.centres, head.penalty
    cosines = [max(slow_cosine(row, rows[c * k + i]) for i in range(k)) for c in range(len(rows) // k)]
    wrong = sorted((c for c in range(len(cosines)) if c != true), key=lambda c: -cosines[c])
    asked = list(cosines)
    for c in wrong[: head.top]:
        angle = math.acos(min(1.0, cosines[c]))
        asked[c] = math.cos(angle - p) if angle > p else cosines[c] + 1 - math.cos(p)
    asked[true] = slow_aam(cosines[true], head.margin.item())
    return [head.scale * cosine for cosine in asked]


def test_logits_and_loss_are_the_published_equation_by_loops():
    assert_by_loops(build("inter-top-k"), slow)


def test_without_a_penalty_it_is_sub_centre_aam():
    head, other = InterTopKAam(DIM, CLASSES, penalty=0.0), SubCentreAam(DIM, CLASSES)
    other.load_state_dict(head.state_dict())
    embedding = drawn(BATCH, DIM).float()
    torch.testing.assert_close(head(embedding, speakers()), other(embedding, speakers()))


def test_the_penalty_falls_on_the_nearest_others_and_on_nobody_else():
    head, embedding = build("inter-top-k"), drawn(BATCH, DIM)
    plain, penalised = head.logits(embedding), head.penalised(embedding, speakers())
    raised = penalised > plain + 1e-9
    assert (raised.sum(1) == 2).all()
    lowest = plain.masked_fill(~raised, math.inf).amin(1)
    spared = ~raised & ~nn.functional.one_hot(speakers(), CLASSES).bool()
    assert (plain.masked_fill(~spared, -math.inf).amax(1) <= lowest).all()


def test_a_penalised_cosine_rises_as_the_wrong_class_comes_nearer_also_within_the_penalty():
    angle = torch.linspace(0, math.pi, 2001, dtype=torch.float64)
    found = before(angle.cos(), 0.3)
    assert (found.diff() < 0).all()
    assert (found.diff() > -1.001 * math.pi / 2000).all()  # no jump: a cosine is nowhere steeper than 1


def test_the_penalty_stays_when_the_margin_changes():
    head, embedding = build("inter-top-k"), drawn(BATCH, DIM)
    head.set_margin(0.0)
    assert (head.penalised(embedding, speakers()) > head.logits(embedding) + 1e-9).sum() == 2 * BATCH


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": 7}, "top: 7 of the 6 classes that are not the true one"),
        ({"top": 0}, "top: 0 of the 6 classes"),
        ({"penalty": -0.1}, "penalty: -0.1 is not within 0 and 1.571"),
        ({"centres": 0}, "centres: 0 is none"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(BadInput, match=message):
        InterTopKAam(DIM, CLASSES, **options)
