"""Learnt scales, lengths and offsets do not decay with the weights."""

from functools import partial

import pytest
from torch import nn

from voxsphere.losses.ge2e import Ge2e
from voxsphere.losses.prototypical import AngularPrototypical
from voxsphere.losses.ring import RingLoss
from voxsphere.losses.sphereface2 import SphereFace2
from voxsphere.train.parameters import parameter_groups


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (Ge2e, "scale.r"),
        (AngularPrototypical, "scale.r"),
        (partial(RingLoss, 4, 3), "radius"),
        (partial(SphereFace2, 4, 3), "bias"),
    ],
)
def test_what_is_no_weight_does_not_decay(make, name):
    objective = nn.ModuleDict({"part": make()})
    rest, still = parameter_groups(objective)
    alone = dict(objective["part"].named_parameters())[name]
    assert [*map(id, still["params"])] == [id(alone)]
    assert still["weight_decay"] == 0.0
    assert len(rest["params"]) == sum(1 for _ in objective.parameters()) - 1
