"""Curricular AAM: slow loops, its limit, and the running mean that only training moves."""

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, assert_by_loops, build, drawn, one_hot, slow_aam, slow_cosine, speakers
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.curricular import CurricularAam
from voxsphere.losses.margin import AamSoftmax


def slow(head: nn.Module, row: list[float], true: int) -> list[float]:
    cosines = [slow_cosine(row, weight) for weight in head.weight.tolist()]
    asked = slow_aam(cosines[true], head.margin.item())
    weighed = [c * (head.typical.item() + c) if c > asked else c for c in cosines]
    weighed[true] = asked
    return [head.scale * cosine for cosine in weighed]


def test_logits_and_loss_are_the_published_equation_by_loops():
    assert_by_loops(build("curricular"), slow)


def test_without_a_class_nearer_than_the_pushed_one_it_is_aam():
    head = CurricularAam(DIM, 4, margin=0.3)
    head.load_state_dict({**head.state_dict(), "weight": torch.eye(4, DIM)})
    other = AamSoftmax(DIM, 4, margin=0.3)
    other.load_state_dict({"weight": head.weight, "margin": head.margin})
    speaker = torch.tensor([0, 1, 2, 3, 3])
    embedding = head.weight.detach()[speaker] + 0.1 * drawn(5, DIM).float()
    for margin in (0.3, 0.0):
        head.set_margin(margin)
        other.set_margin(margin)
        torch.testing.assert_close(head(embedding, speaker), other(embedding, speaker))


def test_a_hard_class_weighs_the_more_the_better_training_goes():
    head, embedding = build("curricular"), drawn(BATCH, DIM)
    losses = []
    for typical in (0.0, 0.5, 0.9):
        head.typical.fill_(typical)
        losses.append(head(embedding, speakers()))
    assert losses[0] < losses[1] < losses[2]


def test_the_running_mean_follows_the_true_cosines_in_training_before_it_is_used():
    head, embedding = CurricularAam(DIM, CLASSES, momentum=0.8).double().train(), drawn(BATCH, DIM)
    typical = 0.0
    for _ in range(3):
        rows = zip(embedding.tolist(), speakers().tolist(), strict=True)
        mean = sum(slow_cosine(row, head.weight[c].tolist()) for row, c in rows) / BATCH
        typical = 0.8 * typical + 0.2 * mean
        loss = head(embedding, speakers())
        assert head.typical.item() == pytest.approx(typical)
    assert not head.typical.requires_grad
    head.eval()
    torch.testing.assert_close(head(embedding, speakers()), loss)  # the batch saw the mean that it had moved
    assert head.typical.item() == pytest.approx(typical)
    head.train()
    head.logits(embedding)
    assert head.typical.item() == pytest.approx(typical)


def test_soft_targets_of_one_class_move_the_mean_as_the_class_does():
    embedding, found = drawn(BATCH, DIM), []
    for speaker in (speakers(), one_hot(speakers())):
        head = build("curricular").train()
        head(embedding, speaker)
        found.append(head.typical.item())
    assert found[0] == pytest.approx(found[1])
    assert found[0] != pytest.approx(0.4)


def test_a_momentum_that_is_no_share_is_refused():
    with pytest.raises(BadInput, match=r"momentum: 1.5 is no share"):
        CurricularAam(DIM, CLASSES, momentum=1.5)
