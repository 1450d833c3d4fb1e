"""Sub-centre AAM: slow loops, one centre, and the centre that answers."""

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, assert_by_loops, build, drawn, slow_aam, slow_cosine, speakers
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.sub_centre import SubCentreAam


def slow(head: nn.Module, row: list[float], true: int) -> list[float]:
    rows, k = head.weight.tolist(), head.centres
    cosines = [max(slow_cosine(row, rows[c * k + i]) for i in range(k)) for c in range(len(rows) // k)]
    cosines[true] = slow_aam(cosines[true], head.margin.item())
    return [head.scale * cosine for cosine in cosines]


def test_logits_and_loss_are_the_published_equation_by_loops():
    assert_by_loops(build("sub-centre"), slow)


@pytest.mark.parametrize("easy_margin", [False, True])
def test_with_one_centre_it_is_aam(easy_margin):
    head = SubCentreAam(DIM, CLASSES, centres=1, easy_margin=easy_margin)
    other = AamSoftmax(DIM, CLASSES, easy_margin=easy_margin)
    other.load_state_dict(head.state_dict())
    embedding = drawn(BATCH, DIM).float()
    torch.testing.assert_close(head(embedding, speakers()), other(embedding, speakers()), rtol=0, atol=0)


def test_only_the_nearest_centre_of_a_class_learns():
    head = build("sub-centre")
    centres = head.weight.detach().view(CLASSES, 3, DIM)
    embedding = centres[speakers(), 1]  # next to the second centre of each class
    head(embedding, speakers()).backward()
    moved = head.weight.grad.view(CLASSES, 3, DIM).abs().sum(2) > 0
    assert moved[speakers(), 1].all()
    near = torch.nn.functional.cosine_similarity(embedding[:, None, None], centres[None], dim=3).argmax(2)
    wanted = torch.zeros(CLASSES, 3, dtype=torch.bool)
    for row in near:
        wanted[torch.arange(CLASSES), row] = True
    assert (moved == wanted).all()


def test_a_class_without_a_centre_is_refused():
    with pytest.raises(BadInput, match="centres: 0 is none"):
        SubCentreAam(DIM, CLASSES, centres=0)
