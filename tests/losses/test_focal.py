"""Focal loss: slow loops, its limit, and a gradient where nothing is left to learn."""

import math
from functools import partial

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, build, drawn, slow_cross_entropy, soft_targets, speakers

from voxsphere.core.errors import BadInput
from voxsphere.losses.focal import Focal
from voxsphere.losses.margin import AamSoftmax, AmSoftmax
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.sphereface2 import SphereFace2


def slow(logits: list[float], true: int, gamma: float) -> float:
    missed = slow_cross_entropy(logits, true)
    return (1 - math.exp(-missed)) ** gamma * missed


def test_the_loss_of_classes_and_of_soft_targets_by_loops():
    head, embedding = build("focal aam"), drawn(BATCH, DIM)
    logits = [head.penalised(embedding, torch.full((BATCH,), c)).tolist() for c in range(CLASSES)]
    wanted = sum(slow(logits[c][i], c, 1.5) for i, c in enumerate(speakers().tolist())) / BATCH
    assert head(embedding, speakers()).item() == pytest.approx(wanted, rel=1e-10)
    shares = soft_targets().tolist()
    wanted = sum(q * slow(logits[c][i], c, 1.5) for i, row in enumerate(shares) for c, q in enumerate(row)) / BATCH
    assert head(embedding, soft_targets()).item() == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("bare", [Softmax, partial(AamSoftmax, margin=0.3)])
def test_without_gamma_it_is_the_bare_head_in_loss_and_gradient(bare):
    head, embedding = Focal(DIM, CLASSES, head=bare, gamma=0.0).double(), drawn(BATCH, DIM).requires_grad_()
    for target in (speakers(), soft_targets()):
        found, wanted = head(embedding, target), head.head(embedding, target)
        torch.testing.assert_close(found, wanted)
        grads = [torch.autograd.grad(loss, embedding)[0] for loss in (found, wanted)]
        torch.testing.assert_close(*grads)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_the_gradient_is_finite_where_the_true_class_has_all(gamma):
    head = Focal(2, 2, head=partial(AmSoftmax, margin=0.0, scale=200.0), gamma=gamma)
    head.head.load_state_dict({"weight": torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), "margin": torch.tensor(0.0)})
    embedding = torch.tensor([[1.0, 0.1]], requires_grad=True)
    loss = head(embedding, torch.tensor([0]))
    loss.backward()
    assert loss.item() == 0
    assert embedding.grad.isfinite().all()


def test_what_is_told_right_weighs_less_the_larger_gamma():
    embedding = drawn(BATCH, DIM)
    losses = []
    for gamma in (0.0, 1.0, 2.0):
        head = build("focal aam")
        head.gamma = gamma
        losses.append(head(embedding, speakers()))
    assert losses[0] > losses[1] > losses[2] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": AamSoftmax, "gamma": -1.0}, "gamma: -1 is not 0 or more"),
        ({"head": SphereFace2}, "Focal: SphereFace2 is no softmax"),
    ],
)
def test_what_cannot_be_weighed_is_refused(options, message):
    with pytest.raises(BadInput, match=message):
        Focal(DIM, CLASSES, **options)
