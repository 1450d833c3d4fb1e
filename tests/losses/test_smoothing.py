"""Label smoothing: torch's own, slow loops, and its limit."""

from functools import partial

import pytest
import torch
from head_cases import (
    BATCH,
    CLASSES,
    DIM,
    build,
    drawn,
    slow_cross_entropy,
    soft_targets,
    speakers,
)
from torch import nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.focal import Focal
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.smoothing import LabelSmoothing
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.sphereface2 import SphereFace2


def slow(logits: list[float], true: int, epsilon: float) -> float:
    each = [slow_cross_entropy(logits, c) for c in range(len(logits))]
    return (1 - epsilon) * each[true] + epsilon * sum(each) / len(each)


def test_the_loss_of_classes_is_torchs_of_the_penalised_logits():
    head, embedding = build("smoothed aam"), drawn(BATCH, DIM)
    wanted = nn.functional.cross_entropy(head.penalised(embedding, speakers()), speakers(), label_smoothing=0.2)
    torch.testing.assert_close(head(embedding, speakers()), wanted)


def test_the_loss_of_classes_and_of_soft_targets_by_loops():
    head, embedding = build("smoothed aam"), drawn(BATCH, DIM)
    logits = [head.penalised(embedding, torch.full((BATCH,), c)).tolist() for c in range(CLASSES)]
    wanted = sum(slow(logits[c][i], c, 0.2) for i, c in enumerate(speakers().tolist())) / BATCH
    assert head(embedding, speakers()).item() == pytest.approx(wanted, rel=1e-10)
    shares = soft_targets().tolist()
    wanted = sum(q * slow(logits[c][i], c, 0.2) for i, row in enumerate(shares) for c, q in enumerate(row)) / BATCH
    assert head(embedding, soft_targets()).item() == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("bare", [Softmax, partial(AamSoftmax, margin=0.3)])
def test_without_smoothing_it_is_the_bare_head(bare):
    head, embedding = LabelSmoothing(DIM, CLASSES, head=bare, epsilon=0.0).double(), drawn(BATCH, DIM)
    torch.testing.assert_close(head(embedding, speakers()), head.head(embedding, speakers()))
    torch.testing.assert_close(head(embedding, soft_targets()), head.head(embedding, soft_targets()))


def test_the_margin_and_the_class_weights_are_the_heads():
    head = build("smoothed aam")
    head.set_margin(0.1)
    assert head.head.margin.item() == pytest.approx(0.1)
    assert head.weight is head.head.weight
    plain = LabelSmoothing(DIM, CLASSES, head=Softmax)
    plain.set_margin(0.1)  # no margin to set: nothing to say


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": AamSoftmax, "epsilon": 1.1}, "epsilon: 1.1 is no share"),
        ({"head": SphereFace2}, "LabelSmoothing: SphereFace2 is no softmax"),
        ({"head": Focal}, "LabelSmoothing: the loss of Focal within would not be heard"),
    ],
)
def test_what_cannot_be_smoothed_is_refused(options, message):
    with pytest.raises(BadInput, match=message):
        LabelSmoothing(DIM, CLASSES, **options)
