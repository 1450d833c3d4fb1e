"""Schedules of margins: slow loops of the published formulas."""

import math
from functools import partial

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.train.margins import LambdaAnnealing, MarginRamp
from voxsphere.train.schedule import Progress, Schedule

EPOCHS, PER_EPOCH = 12, 10
STEPS = EPOCHS * PER_EPOCH


def curve(of: Schedule) -> list[float]:
    return [of(Progress(step, STEPS, PER_EPOCH)) for step in range(STEPS)]


@pytest.mark.parametrize("shape", ["exp", "linear"])
def test_the_margin_grows_as_wespeakers(shape):
    begin, end, wanted = (3 - 1) * PER_EPOCH, (8 - 1) * PER_EPOCH, []
    for step in range(STEPS):
        if step >= end:
            wanted.append(0.5)
        elif step >= begin:
            way = (step - begin) / (end - begin)
            share = 1 - math.exp(way * math.log(1e-3 / (1.0 + 1e-6))) if shape == "exp" else way
            wanted.append(0.1 + (0.5 - 0.1) * share)
        else:
            wanted.append(0.1)
    assert curve(MarginRamp(initial=0.1, final=0.5, begin_epoch=3, end_epoch=8, shape=shape)) == pytest.approx(wanted)


def test_a_margin_ramp_of_no_length_is_a_step():
    found = curve(MarginRamp(begin_epoch=3, end_epoch=3))
    assert found == [0.0] * 20 + [0.2] * (STEPS - 20)


def test_lambda_falls_as_spherefaces():
    wanted = [max(5.0, 1000.0 / (1 + 0.12 * step)) for step in range(STEPS)]
    assert curve(LambdaAnnealing()) == pytest.approx(wanted)
    wanted = [max(3.0, 1500.0 / (1 + 0.1 * step) ** 2) for step in range(STEPS)]
    assert curve(LambdaAnnealing(base=1500, gamma=0.1, power=2, minimum=3)) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (partial(MarginRamp, begin_epoch=0), "epochs count from 1"),
        (partial(MarginRamp, begin_epoch=9, end_epoch=8), "ends after it begins"),
    ],
)
def test_epochs_that_make_no_ramp_are_refused(make, message):
    with pytest.raises(BadInput, match=message):
        make()
