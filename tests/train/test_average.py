"""Averages of weights: slow recursions and laws."""

import io
import math

import pytest
import torch
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.train.average import Ema, average


class Net(nn.Module):
    """Parameters, running statistics, a counter and a margin."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.linear, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)
            self.register_buffer("margin", torch.rand(()))
            self.norm.running_mean.normal_()
            self.norm.num_batches_tracked.fill_(10 + seed)


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def parameters(module: nn.Module) -> set[str]:
    return {name for name, _ in module.named_parameters()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def averaged(ema: Ema, module: nn.Module) -> dict[str, Tensor]:
    with ema.applied(module):
        return state(module)


@pytest.mark.parametrize("warmup", [False, True])
def test_the_average_is_the_recursion_by_hand(warmup):
    ema, nets = Ema(decay=0.6, warmup=warmup), [Net(seed) for seed in range(20)]
    wanted = {name: value.double() for name, value in nets[0].named_parameters()}
    for n, net in enumerate(nets):
        ema.update(net)
        decay = min(0.6, (1 + n) / (10 + n)) if warmup else 0.6
        if n:
            for name, value in net.named_parameters():
                wanted[name] = decay * wanted[name] + (1 - decay) * value.double()
    found = averaged(ema, Net())
    for name, value in wanted.items():
        torch.testing.assert_close(found[name].double(), value, rtol=1e-6, atol=1e-6)


def test_buffers_are_copied_and_not_averaged():
    ema, nets = Ema(), [Net(seed) for seed in range(3)]
    for net in nets:
        ema.update(net)
    found = averaged(ema, Net(7))
    buffers = found.keys() - parameters(nets[-1])
    assert {"margin", "norm.running_mean", "norm.num_batches_tracked"} <= buffers
    assert_same({n: found[n] for n in buffers}, {n: nets[-1].state_dict()[n] for n in buffers})


def test_weights_that_stand_still_are_their_own_average_to_the_bit():
    ema, net = Ema(decay=0.9), Net()
    for _ in range(50):
        ema.update(net)
    assert_same(averaged(ema, Net(1)), state(net))


@pytest.mark.parametrize(("decay", "seed"), [(0.0, 4), (1.0, 0)])
def test_a_decay_of_0_follows_and_of_1_stays(decay, seed):
    ema = Ema(decay=decay, warmup=False)
    for n in range(5):
        ema.update(Net(n))
    found, wanted = averaged(ema, Net(9)), state(Net(seed))
    for name in parameters(Net()):
        assert torch.equal(found[name], wanted[name])


def test_the_warm_up_forgets_the_first_weights_sooner():
    distance = []
    for warmup in (True, False):
        ema = Ema(decay=0.999, warmup=warmup)
        ema.update(Net(0))
        for _ in range(20):
            ema.update(Net(1))
        distance.append((averaged(ema, Net())["linear.weight"] - Net(1).linear.weight).norm())
    assert distance[0] < 0.1 * distance[1]


def test_the_module_gets_its_own_weights_back_to_the_bit_even_after_an_error():
    ema, net = Ema(), Net(3)
    ema.update(Net(1))
    before, kept = state(net), net.linear.weight
    with ema.applied(net):
        assert torch.equal(net.linear.weight, Net(1).linear.weight)
    assert_same(state(net), before)
    with pytest.raises(RuntimeError, match="out of luck"), ema.applied(net):
        raise RuntimeError("out of luck")
    assert_same(state(net), before)
    assert net.linear.weight is kept  # an optimiser's reference still holds


def test_before_the_first_update_the_module_stays_as_it_is():
    net = Net(3)
    assert_same(averaged(Ema(), net), state(Net(3)))


def test_a_saved_average_goes_on_to_the_bit():
    whole, first = Ema(decay=0.7), Ema(decay=0.7)
    for n in range(4):
        whole.update(Net(n))
        first.update(Net(n))
    held = io.BytesIO()
    torch.save(first.state_dict(), held)
    held.seek(0)
    second = Ema(decay=0.7)
    second.load_state_dict(torch.load(held, weights_only=True))
    for n in range(4, 8):
        whole.update(Net(n))
        second.update(Net(n))
    assert_same(averaged(second, Net()), averaged(whole, Net()))


def test_what_was_saved_is_left_alone_by_later_updates():
    ema = Ema()
    ema.update(Net(0))
    saved = ema.state_dict()
    other = Ema()
    other.load_state_dict(saved)
    for each in (ema, other):
        each.update(Net(1))
    assert torch.equal(saved["values"]["linear.weight"], Net(0).linear.weight)


def test_half_precision_weights_are_averaged_in_float32():
    ema, slow = Ema(decay=0.99, warmup=False), nn.Linear(1, 1, bias=False).bfloat16()
    nn.init.constant_(slow.weight, 1.0)
    ema.update(slow)
    nn.init.constant_(slow.weight, 1.5)
    for _ in range(100):
        ema.update(slow)
    with ema.applied(slow):
        assert slow.weight.dtype == torch.bfloat16
        assert slow.weight.item() == pytest.approx(1.5 - 0.5 * 0.99**100, abs=2**-8)


def test_another_networks_average_is_refused():
    ema = Ema()
    ema.update(Net())
    for other, message in [
        (nn.Linear(3, 4), "only the module has bias"),
        (_reshaped(), r"linear.weight has the shapes \(4, 3\) and \(4, 9\)"),
    ]:
        with pytest.raises(BadInput, match=message):
            ema.update(other)
        with pytest.raises(BadInput, match=message), ema.applied(other):
            pass


def test_a_decay_that_is_no_share_is_refused():
    with pytest.raises(BadInput, match=r"decay 1.5 is not within 0 and 1"):
        Ema(decay=1.5)


def test_the_mean_of_checkpoints_is_the_exact_sum_divided():
    states = [state(Net(seed)) for seed in range(10)]
    found = average(states)
    for name in ("linear.weight", "norm.running_mean"):
        for i, value in enumerate(found[name].flatten().tolist()):
            exact = math.fsum(s[name].flatten()[i].item() for s in states) / 10
            assert value == torch.tensor(exact, dtype=torch.float64).float().item()


def test_ten_times_the_same_checkpoint_is_that_checkpoint_to_the_bit():
    one = state(Net(3))
    assert_same(average([one] * 10), one)


def test_the_order_of_the_checkpoints_matters_to_counters_alone():
    states = [state(Net(seed)) for seed in range(4)]
    forth, back = average(states), average(states[::-1])
    assert forth.pop("norm.num_batches_tracked") == 13
    assert back.pop("norm.num_batches_tracked") == 10
    for name in forth:
        torch.testing.assert_close(forth[name], back[name])


def test_large_values_do_not_drown_small_ones():
    values = [torch.tensor([2.0**30]), torch.tensor([1.0]), torch.tensor([-(2.0**30)])]
    assert average([{"w": v} for v in values])["w"].item() == torch.tensor(1 / 3).item()


def test_averaging_leaves_the_checkpoints_alone():
    states = [state(Net(seed)) for seed in range(3)]
    found = average(states)
    for value in found.values():
        value.zero_()
    for seed, each in enumerate(states):
        assert_same(each, state(Net(seed)))


def test_checkpoints_of_different_networks_are_refused():
    with pytest.raises(BadInput, match="only the last has bias"):
        average([state(Net()), state(nn.Linear(3, 4))])
    with pytest.raises(BadInput, match=r"checkpoint 2 and the last are of different networks: linear\.weight"):
        average([state(Net()), state(_reshaped()), state(Net())])
    with pytest.raises(BadInput, match="there is no checkpoint to average"):
        average([])


def _reshaped() -> Net:
    net = Net()
    net.linear = nn.Linear(9, 4)
    return net
