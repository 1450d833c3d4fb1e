"""Heads beside those of pytorch-metric-learning (angles in degrees, class weights in columns), in float32."""

import math
from functools import partial

import pytest
import torch
from head_cases import BATCH, CLASSES, DIM, drawn, speakers

from voxsphere.losses.a_softmax import ASoftmax
from voxsphere.losses.margin import AamSoftmax, AmSoftmax
from voxsphere.losses.sub_centre import SubCentreAam

theirs = pytest.importorskip("pytorch_metric_learning.losses")

DEGREE = math.pi / 180
PAIRS = {
    "am": (
        partial(AmSoftmax, margin=0.35, scale=20.0),
        partial(theirs.CosFaceLoss, margin=0.35, scale=20.0),
    ),
    "aam": (
        partial(AamSoftmax, margin=28.6 * DEGREE, scale=20.0),
        partial(theirs.ArcFaceLoss, margin=28.6, scale=20.0),
    ),
    "sub-centre": (
        partial(SubCentreAam, margin=28.6 * DEGREE, scale=20.0),
        partial(theirs.SubCenterArcFaceLoss, margin=28.6, scale=20.0, sub_centers=3),
    ),
    "a-softmax": (
        partial(ASoftmax, margin=4, plain=0.0),
        partial(theirs.SphereFaceLoss, margin=4, scale=1.0),
    ),
}


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # its own, under numpy 2
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("side", [0, 1, -1])
def test_loss_and_gradient_are_theirs(name, side):
    ours = PAIRS[name][0](DIM, CLASSES)
    other = PAIRS[name][1](num_classes=CLASSES, embedding_size=DIM)
    weight = drawn(len(ours.weight), DIM, seed=5).float()
    with torch.no_grad():
        ours.weight.copy_(weight)
        other.W.copy_(weight.T)
    centres = weight.view(CLASSES, -1, DIM)[speakers(), 0]
    embedding = (side * centres + (0.2 if side else 1.0) * drawn(BATCH, DIM).float()).requires_grad_()
    found, wanted = ours(embedding, speakers()), other(embedding, speakers())
    torch.testing.assert_close(found, wanted, rtol=2e-5, atol=2e-5)
    grads = [torch.autograd.grad(loss, embedding)[0] for loss in (found, wanted)]
    torch.testing.assert_close(*grads, rtol=1e-3, atol=1e-4)
