"""Sharpness-aware minimisation: a step by hand, and what must stay as it was."""

import copy
import io
import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import SGD, AdamW

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe, rebuild
from voxsphere.losses.curricular import CurricularAam
from voxsphere.train.sam import Sam, statistics_kept

CURVE, CENTRE = (3.0, 0.5, 1.0), (1.0, -2.0, 0.3)


def quadratic(*parts: Tensor) -> Tensor:
    """½ Σ c (w − m)²."""
    curve, centre = torch.tensor(CURVE, dtype=torch.float64), torch.tensor(CENTRE, dtype=torch.float64)
    return (curve * (torch.cat(parts) - centre).square()).sum() / 2


def start() -> list[nn.Parameter]:
    """Two tensors, because the gradient's norm is over all of them."""
    return [nn.Parameter(torch.tensor(v, dtype=torch.float64)) for v in ([0.2, 0.7], [-1.1])]


def closure(optimizer: torch.optim.Optimizer, weights: list[nn.Parameter]):
    def gradient() -> Tensor:
        optimizer.zero_grad()
        loss = quadratic(*weights)
        loss.backward()
        return loss

    return gradient


def by_hand(w: list[float], velocity: list[float], *, rho: float, adaptive: bool) -> tuple[list[float], list[float]]:
    """A step of SAM with SGD: learning rate 0.1, momentum 0.9."""

    def gradient(at: list[float]) -> list[float]:
        return [c * (x - m) for c, x, m in zip(CURVE, at, CENTRE, strict=True)]

    g = gradient(w)
    span = [abs(x) + 0.01 if adaptive else 1.0 for x in w]
    norm = math.hypot(*(t * x for t, x in zip(span, g, strict=True)))
    worst = [x + rho * t * t * d / norm for x, t, d in zip(w, span, g, strict=True)]
    velocity = [0.9 * v + d for v, d in zip(velocity, gradient(worst), strict=True)]
    return [x - 0.1 * v for x, v in zip(w, velocity, strict=True)], velocity


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("rho", [0.05, 0.5])
def test_steps_are_those_taken_by_hand(adaptive, rho):
    weights = start()
    optimizer = Sam(weights, base=partial(SGD, lr=0.1, momentum=0.9), rho=rho, adaptive=adaptive)
    wanted, velocity = [0.2, 0.7, -1.1], [0.0] * 3
    for _ in range(5):
        wanted, velocity = by_hand(wanted, velocity, rho=rho, adaptive=adaptive)
        gradient = closure(optimizer, weights)
        gradient()
        optimizer.step(gradient)
        assert torch.cat(weights).tolist() == pytest.approx(wanted, rel=1e-10)


def test_the_perturbed_weights_lie_rho_away_up_the_slope_and_the_loss_there_is_returned():
    weights, seen = start(), []
    optimizer = Sam(weights, base=partial(SGD, lr=0.0), rho=0.3)
    before, gradient = torch.cat(weights).detach().clone(), closure(optimizer, weights)
    gradient()
    slope = torch.cat([w.grad for w in weights]).clone()

    def watched() -> Tensor:
        seen.append(torch.cat(weights).detach().clone())
        return gradient()

    loss = optimizer.step(watched)
    shift = seen[0] - before
    assert len(seen) == 1
    assert shift.norm().item() == pytest.approx(0.3)
    torch.testing.assert_close(shift / shift.norm(), slope / slope.norm())
    assert loss.item() == quadratic(seen[0]).item() > quadratic(before).item()


def test_a_rate_of_0_gives_the_weights_back_to_the_bit():
    weights = [nn.Parameter(torch.randn(100, generator=torch.Generator().manual_seed(0)))]
    before = weights[0].detach().clone()
    optimizer = Sam(weights, base=partial(SGD, lr=0.0), rho=0.7)

    def gradient() -> Tensor:
        optimizer.zero_grad()
        loss = weights[0].cos().sum()
        loss.backward()
        return loss

    gradient()
    optimizer.step(gradient)
    assert torch.equal(weights[0], before)


def test_an_error_in_the_closure_leaves_the_weights_unperturbed():
    weights = start()
    optimizer = Sam(weights, base=SGD)
    before = torch.cat(weights).detach().clone()
    closure(optimizer, weights)()

    def fails() -> Tensor:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        optimizer.step(fails)
    assert torch.equal(torch.cat(weights), before)


@pytest.mark.parametrize("base", [partial(SGD, lr=0.1, momentum=0.9), partial(AdamW, lr=0.1)])
def test_a_radius_of_0_is_the_base_optimiser(base):
    plain, sharp = start(), start()
    one, other = base(plain), Sam(sharp, base=base, rho=0.0)
    for _ in range(5):
        gradient = closure(one, plain)
        gradient()
        one.step()
        gradient = closure(other, sharp)
        gradient()
        other.step(gradient)
    assert torch.equal(torch.cat(plain), torch.cat(sharp))


def test_a_parameter_without_a_gradient_stays():
    weights, idle = start(), nn.Parameter(torch.ones(2))
    optimizer = Sam([*weights, idle], base=partial(SGD, lr=0.1))
    gradient = closure(optimizer, weights)
    gradient()
    optimizer.step(gradient)
    assert idle.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("base", [partial(SGD, lr=0.1, momentum=0.9), partial(AdamW, lr=0.1)])
def test_a_saved_run_goes_on_to_the_bit(base):
    def run(weights: list[nn.Parameter], optimizer: Sam, steps: int) -> None:
        for _ in range(steps):
            gradient = closure(optimizer, weights)
            gradient()
            optimizer.step(gradient)

    whole = start()
    run(whole, Sam(whole, base=base), 7)
    first = start()
    optimizer = Sam(first, base=base)
    run(first, optimizer, 3)
    held = io.BytesIO()
    torch.save(optimizer.state_dict(), held)
    held.seek(0)
    second = copy.deepcopy(first)
    resumed = Sam(second, base=base)
    resumed.load_state_dict(torch.load(held, weights_only=True))
    run(second, resumed, 4)
    assert torch.equal(torch.cat(second), torch.cat(whole))


def test_a_rate_set_on_the_groups_is_the_base_optimisers_also_after_loading():
    weights = start()
    optimizer = Sam([{"params": weights[:1]}, {"params": weights[1:], "lr": 0.0}], base=partial(SGD, lr=0.5))
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.0]
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = torch.cat(weights).detach().clone()
    gradient = closure(optimizer, weights)
    gradient()
    optimizer.step(gradient)
    assert torch.equal(torch.cat(weights), before)


def test_accelerate_prepares_it_and_passes_the_closure_on():
    weights, plain = start(), start()
    accelerator = Accelerator(cpu=True)
    optimizer = accelerator.prepare(Sam(weights, base=partial(SGD, lr=0.1), rho=0.5))
    gradient = closure(optimizer, weights)
    gradient()
    optimizer.step(gradient)
    bare = Sam(plain, base=partial(SGD, lr=0.1), rho=0.5)
    gradient = closure(bare, plain)
    gradient()
    bare.step(gradient)
    assert optimizer.optimizer.wants_closure
    assert torch.equal(torch.cat(weights), torch.cat(plain))


def _process(rank: int, folder: str) -> None:
    """One of two processes, each with half of the rows."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    try:
        weights = _trained(rows().chunk(2)[rank], wrap=DistributedDataParallel)
        torch.save(weights, f"{folder}/{rank}.pt")
    finally:
        torch.distributed.destroy_process_group()


def rows() -> Tensor:
    return torch.arange(24.0, dtype=torch.float64).view(8, 3).sin()


def _trained(x: Tensor, wrap: Callable[[nn.Module], nn.Module]) -> Tensor:
    torch.manual_seed(0)
    net = nn.Linear(3, 1).double()
    wrapped, optimizer = wrap(net), Sam(net.parameters(), base=partial(SGD, lr=0.1), rho=0.5)

    def gradient() -> Tensor:
        optimizer.zero_grad()
        loss = wrapped(x).square().mean()
        loss.backward()
        return loss

    for _ in range(3):
        gradient()
        optimizer.step(gradient)
    return net.weight.detach()


@pytest.mark.slow
def test_two_processes_with_half_the_batch_each_step_as_one_with_all_of_it(tmp_path):
    torch.multiprocessing.spawn(_process, args=(str(tmp_path),), nprocs=2)
    found = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert torch.equal(*found)
    with torch.random.fork_rng():
        torch.testing.assert_close(found[0], _trained(rows(), wrap=lambda net: net))


def test_a_recipe_can_save_it():
    part = partial(Sam, base=partial(AdamW, weight_decay=0.2), rho=0.1)
    again = rebuild(describe(part), {"Sam": Sam, "AdamW": AdamW})
    optimizer = again(start())
    assert optimizer.rho == 0.1
    assert isinstance(optimizer.base, AdamW)
    assert optimizer.param_groups[0]["weight_decay"] == 0.2


def test_a_step_without_a_closure_and_a_negative_radius_are_refused():
    with pytest.raises(BadInput, match="needs the closure"):
        Sam(start(), base=SGD).step()
    with pytest.raises(BadInput, match="rho -1 and eta"):
        Sam(start(), base=SGD, rho=-1.0)


def test_running_statistics_are_kept_while_the_batch_still_normalises():
    net, x = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), torch.arange(15.0).view(5, 3).sin()
    net(x)
    before = copy.deepcopy(net.state_dict())
    wanted = copy.deepcopy(net)(x)
    with statistics_kept(net):
        torch.testing.assert_close(net(x), wanted, rtol=0, atol=0)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name
    net(x)
    assert not torch.equal(net.state_dict()["1.running_mean"], before["1.running_mean"])


def test_the_running_mean_of_a_curricular_head_is_kept_too():
    head, x, speaker = CurricularAam(3, 4), torch.arange(15.0).view(5, 3).sin(), torch.tensor([0, 1, 2, 3, 0])
    head(x, speaker)
    before = head.typical.clone()
    with statistics_kept(head):
        head(x, speaker)
    assert torch.equal(head.typical, before)
    head(x, speaker)
    assert not torch.equal(head.typical, before)
