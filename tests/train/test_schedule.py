"""Schedules: torch's schedulers and slow loops of the published formulas."""

import inspect
import math
import warnings
from functools import partial

import pytest
import torch
from torch.optim import SGD, lr_scheduler

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe, rebuild
from voxsphere.core.random import stream
from voxsphere.train import margins, schedule
from voxsphere.train.margins import LambdaAnnealing, MarginRamp
from voxsphere.train.schedule import (
    Constant,
    Cosine,
    Cyclic,
    Exponential,
    InverseSqrt,
    Linear,
    OneCycle,
    Plateau,
    Polyline,
    Progress,
    Schedule,
    Steps,
)

EPOCHS, PER_EPOCH = 12, 10
STEPS = EPOCHS * PER_EPOCH

# Each that can warm up, beginning with 0.2.
WARMING = {
    "constant": partial(Constant, value=0.2),
    "linear": partial(Linear, initial=0.2, final=0.01),
    "cosine": partial(Cosine, peak=0.2, final=0.01),
    "exponential": partial(Exponential, initial=0.2, final=0.01),
    "steps": partial(Steps, initial=0.2, every=5),
    "milestones": partial(Steps, initial=0.2, milestones=(4, 9)),
    "plateau": partial(Plateau, initial=0.2),
    "cyclic": partial(Cyclic, low=0.2, high=0.8, half_cycle_steps=15),
}
ALL = {
    **WARMING,
    "one cycle": partial(OneCycle, initial=0.01, peak=0.2, final=0.001),
    "inverse root": partial(InverseSqrt, peak=0.2, warmup_steps=9),
    "margin": partial(MarginRamp, begin_epoch=3, end_epoch=8),
    "margin line": partial(MarginRamp, begin_epoch=3, end_epoch=8, shape="linear"),
    "lambda": partial(LambdaAnnealing),
}


def curve(of: Schedule, steps: int = STEPS) -> list[float]:
    return [of(Progress(step, steps, PER_EPOCH)) for step in range(steps)]


def torchs(initial: float, *makers, steps: int = STEPS) -> list[float]:
    """The rates of torch's schedulers, chained."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial)
    schedulers, rates = [make(optimizer) for make in makers], []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def after(warmup: int, initial: float, share: float, maker) -> list[float]:
    """torch's line from a share of the rate to all of it, then another scheduler."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial)
    line = lr_scheduler.LinearLR(optimizer, start_factor=share, total_iters=warmup)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own sequence uses what torch deprecates
        both = lr_scheduler.SequentialLR(optimizer, [line, maker(optimizer)], milestones=[warmup])
        rates = []
        for _ in range(STEPS):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            both.step()
    return rates


def test_the_cosine_is_torchs():
    wanted = torchs(0.2, lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=0.01))
    assert curve(Cosine(peak=0.2, final=0.01)) == pytest.approx(wanted)


def test_the_cosine_after_a_warm_up_is_torchs_sequence():
    wanted = after(30, 0.2, 0.05, lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS - 30, eta_min=0.01))
    assert curve(Cosine(peak=0.2, final=0.01, warmup_epochs=3, warm_from=0.01)) == pytest.approx(wanted)


def test_the_cosine_with_an_end_is_3d_speakers():
    low, high, warm, fix = 1e-4, 0.2, 20, 90
    wanted = []
    for step in range(STEPS):
        if step < warm:
            wanted.append(low + (high - low) * step / warm)
        elif step < fix:
            wanted.append(low + 0.5 * (high - low) * (1 + math.cos(math.pi * (step - warm) / (fix - warm))))
        else:
            wanted.append(low)
    found = Cosine(peak=high, final=low, warmup_epochs=2, warm_from=low, end_epoch=9)
    assert curve(found) == pytest.approx(wanted)


def test_a_warm_up_that_outlasts_the_end_goes_straight_to_the_final_value():
    found = curve(Cosine(peak=0.2, final=0.01, warmup_epochs=3, end_epoch=2))
    assert found[:20] == pytest.approx([0.2 * step / 30 for step in range(20)])
    assert found[30:] == [0.01] * (STEPS - 30)


def test_the_line_is_torchs():
    wanted = torchs(0.2, lambda o: lr_scheduler.LinearLR(o, start_factor=1, end_factor=0.05, total_iters=STEPS))
    assert curve(Linear(initial=0.2, final=0.01)) == pytest.approx(wanted)


def test_the_polyline_is_kaldis_schedule_of_dropout():
    # 0,0@0.20,0.5@0.50,0: nothing for a fifth of the run, up to 0.5 at its half, and down to nothing at its end.
    found = curve(Polyline(points=((0, 0), (0.2, 0), (0.5, 0.5), (1, 0))))
    assert found[: STEPS // 5 + 1] == [0.0] * (STEPS // 5 + 1)
    assert found[STEPS // 2] == pytest.approx(0.5)
    assert found[3 * STEPS // 4] == pytest.approx(0.25)


@pytest.mark.parametrize("points", [(), ((0.5, 0), (0.2, 1)), ((0, 0), (1.5, 1))])
def test_points_out_of_order_or_beyond_the_run_are_refused(points):
    with pytest.raises(BadInput, match="rising shares of the run from 0 to 1"):
        Polyline(points=points)


def test_the_line_after_a_warm_up_is_torchs_sequence():
    wanted = after(30, 0.2, 0.5, lambda o: lr_scheduler.LinearLR(o, 1.0, 0.05, total_iters=STEPS - 30))
    assert curve(Linear(initial=0.2, final=0.01, warmup_epochs=3, warm_from=0.1)) == pytest.approx(wanted)


def test_the_exponential_is_torchs():
    wanted = torchs(0.2, lambda o: lr_scheduler.ExponentialLR(o, (0.01 / 0.2) ** (1 / STEPS)))
    assert curve(Exponential(initial=0.2, final=0.01)) == pytest.approx(wanted)


@pytest.mark.parametrize("ratio", [1.0, 4.0])
@pytest.mark.parametrize("from_zero", [True, False])
def test_the_exponential_warms_up_as_wespeakers(ratio, from_zero):
    wanted = []
    for step in range(STEPS):
        coefficient = ratio
        if step < 60 and from_zero:
            coefficient = ratio * step / 60
        elif step < 60 and ratio > 1:
            coefficient = (ratio - 1) * step / 60 + 1
        wanted.append(coefficient * 0.1 * math.exp(step / STEPS * math.log(5e-5 / 0.1)))
    found = Exponential(
        initial=0.1, final=5e-5, scale_ratio=ratio, warmup_epochs=6, warm_from=0.0 if from_zero else 0.1
    )
    assert curve(found) == pytest.approx(wanted)


def test_steps_are_torchs():
    wanted = torchs(0.2, lambda o: lr_scheduler.StepLR(o, 25, gamma=0.75))
    assert curve(Steps(initial=0.2, factor=0.75, every=2.5)) == pytest.approx(wanted)
    wanted = torchs(0.2, lambda o: lr_scheduler.MultiStepLR(o, [40, 90], gamma=0.1))
    assert curve(Steps(initial=0.2, milestones=(4, 9))) == pytest.approx(wanted)


def test_steps_stop_at_the_minimum():
    assert min(curve(Steps(initial=0.2, every=1, minimum=0.01))) == 0.01


@pytest.mark.parametrize("shape", ["triangular", "triangular2", "exp_range"])
def test_cycles_are_torchs_and_speechbrains(shape):
    found = curve(Cyclic(low=0.01, high=0.2, half_cycle_steps=15, shape=shape, gamma=0.99))
    torch_mode = partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.2, step_size_up=15, cycle_momentum=False)
    assert found == pytest.approx(torchs(0.01, lambda o: torch_mode(o, mode=shape, gamma=0.99)))
    wanted = []
    for n in range(STEPS):
        cycle = math.floor(1 + n / 30)
        x = abs(n / 15 - 2 * cycle + 1)
        scale = {"triangular": 1.0, "triangular2": 1 / 2 ** (cycle - 1), "exp_range": 0.99**n}[shape]
        wanted.append(0.01 + 0.19 * max(0, 1 - x) * scale)
    assert found == pytest.approx(wanted)


def test_a_cycle_may_be_told_in_epochs():
    one = Cyclic(low=0.01, high=0.2, half_cycle_epochs=1.5, shape="triangular2")
    other = Cyclic(low=0.01, high=0.2, half_cycle_steps=round(1.5 * PER_EPOCH), shape="triangular2")
    assert curve(one) == curve(other)


@pytest.mark.parametrize(("shape", "torchs_name"), [("cosine", "cos"), ("linear", "linear")])
@pytest.mark.parametrize("rising", [0.1, 0.3, 0.77])
def test_one_cycle_is_torchs(shape, torchs_name, rising):
    make = partial(lr_scheduler.OneCycleLR, max_lr=0.2, total_steps=STEPS, pct_start=rising, cycle_momentum=False)
    wanted = torchs(0.2, lambda o: make(o, anneal_strategy=torchs_name, div_factor=20, final_div_factor=100))
    found = curve(OneCycle(initial=0.01, peak=0.2, final=1e-4, rising=rising, shape=shape))
    assert found == pytest.approx(wanted)


def test_the_inverse_root_is_the_transformers():
    width, warmup = 64, 17
    found = curve(InverseSqrt(peak=(width * warmup) ** -0.5, warmup_steps=warmup))
    wanted = [width**-0.5 * min(n**-0.5, n * warmup**-1.5) for n in range(1, STEPS + 1)]
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_the_plateau_is_torchs_whatever_the_figures(relative, seed):
    random = stream("plateau", seed)
    patience, cooldown = int(random.integers(0, 4)), int(random.integers(0, 4))
    figures = (0.1 * random.normal(size=60).cumsum() + 10 * 0.97 ** random.integers(0, 60)).tolist()
    figures[int(random.integers(60))] = math.nan
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    oracle = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience, threshold=0.01, threshold_mode="rel" if relative else "abs",
        cooldown=cooldown, min_lr=1e-4,
    )  # fmt: skip
    found = Plateau(
        initial=0.1, factor=0.5, patience=patience, threshold=0.01, relative=relative, cooldown=cooldown, minimum=1e-4
    )
    for n in range(len(figures) + 1):
        seen = Progress(n * PER_EPOCH, 1000, PER_EPOCH, tuple(figures[:n]), tuple(PER_EPOCH * i for i in range(n)))
        assert found(seen) == optimizer.param_groups[0]["lr"]
        if n < len(figures):
            oracle.step(figures[n])
    assert optimizer.param_groups[0]["lr"] < 0.1


def test_the_plateau_leaves_out_reductions_too_small_to_matter_as_torch_does():
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=5e-8)
    oracle, found = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5), []
    for n in range(1, 8):
        oracle.step(1.0)
        seen = Progress(n, 1000, 1, (1.0,) * n, tuple(range(1, n + 1)))
        found.append(Plateau(initial=5e-8, patience=0, factor=0.5)(seen))
        assert found[-1] == optimizer.param_groups[0]["lr"]
    assert found[-1] == 1.25e-8


def test_the_plateau_goes_on_between_figures_as_it_was():
    seen = [(5.0, 4.0, 4.5, 4.4), (10, 20, 30, 40)]
    found = Plateau(initial=0.1, factor=0.5, patience=1)
    assert [found(Progress(step, 1000, 10, *seen)) for step in (40, 43, 49)] == [0.05] * 3


def test_figures_of_the_warm_up_do_not_count_against_the_plateau():
    figures, steps = (1.0, 2.0, 2.0, 2.0, 2.0), (10, 20, 30, 40, 50)
    at = Progress(55, 1000, 10, figures, steps)
    assert Plateau(initial=0.1, patience=2)(at) == pytest.approx(0.01)
    assert Plateau(initial=0.1, patience=2, warmup_epochs=3)(at) == 0.1


@pytest.mark.parametrize("name", WARMING)
def test_a_warm_up_is_torchs_line_times_the_schedule(name):
    warm, cold = WARMING[name](warmup_epochs=2.5, warm_from=0.05), WARMING[name]()
    found = curve(warm)
    assert found[0] == pytest.approx(0.05)
    factor = torchs(1.0, lambda o: lr_scheduler.LinearLR(o, start_factor=0.25, total_iters=25))
    # Lines and half cosines begin when the warm-up ends; the others' clocks run from the first step.
    waits = name in ("linear", "cosine")
    base = [0.2] * 25 + curve(cold, STEPS)[25:] if waits else curve(cold)
    assert found[:25] == pytest.approx([f * v for f, v in zip(factor, base, strict=True)][:25])
    if not waits:
        assert found[25:] == curve(cold)[25:]


@pytest.mark.parametrize("name", WARMING)
def test_a_warm_up_from_0_begins_at_0(name):
    assert WARMING[name](warmup_epochs=1)(Progress(0, STEPS, PER_EPOCH)) == 0.0


@pytest.mark.parametrize("name", ALL)
def test_a_schedule_is_finite_at_every_step_of_the_shortest_runs(name):
    for steps in (1, 2, 3):
        for step in range(steps + 1):
            assert math.isfinite(ALL[name]()(Progress(step, steps, 1)))


@pytest.mark.parametrize("name", ALL)
def test_a_saved_schedule_is_the_same_schedule(name):
    known = {
        each.__name__: each for module in (schedule, margins) for _, each in inspect.getmembers(module, inspect.isclass)
    }
    again = rebuild(describe(ALL[name]), known)()
    assert again == ALL[name]()
    assert curve(again) == curve(ALL[name]())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (partial(Exponential, initial=0.1, final=0.0), "two values above 0"),
        (partial(Steps, initial=0.1), "either every or milestones"),
        (partial(Steps, initial=0.1, every=2, milestones=(1,)), "either every or milestones"),
        (partial(Steps, initial=0.1, every=0), "a number of epochs above 0"),
        (partial(Cyclic, low=0.1, high=1, half_cycle_steps=0), "one step or more"),
        (partial(Cyclic, low=0.1, high=1), "either half_cycle_steps or half_cycle_epochs"),
        (partial(Cyclic, low=0.1, high=1, half_cycle_steps=3, half_cycle_epochs=1), "either half_cycle_steps"),
        (partial(OneCycle, initial=0.1, peak=1, final=0, rising=1.0), "between 0 and 1"),
        (partial(InverseSqrt, peak=0.1, warmup_steps=0), "one or more"),
    ],
)
def test_options_that_make_no_schedule_are_refused(make, message):
    with pytest.raises(BadInput, match=message):
        make()
