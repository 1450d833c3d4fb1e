"""Penalties beside a head: slow loops in float64, and laws."""

import math
from functools import partial
from statistics import mean

import pytest
import torch
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.center import CenterLoss
from voxsphere.losses.koleo import KoLeo
from voxsphere.losses.min_arc import MinArc
from voxsphere.losses.negative_arc import NegativeArc
from voxsphere.losses.ring import RingLoss
from voxsphere.train.parameters import parameter_groups

BATCH, DIM, CLASSES = 6, 5, 7
PENALTIES = {
    "center": partial(CenterLoss, weight=0.4),
    "center, squared": partial(CenterLoss, weight=0.4, squared=True),
    "ring": partial(RingLoss, weight=0.4, radius=2.0),
    "koleo": partial(KoLeo, lamb=0.4),
    "koleo, log": partial(KoLeo, lamb=0.4, form="log"),
    "min-arc": partial(MinArc, weight=0.4),
    "min-arc, energy": partial(MinArc, weight=0.4, form="energy"),
    "negative arc": partial(NegativeArc, weight=0.4, scale=6.0, share=0.7),
}
READS_CLASSES = ["min-arc", "min-arc, energy", "negative arc"]
LEARNS = {"center": "centres", "center, squared": "centres", "ring": "radius"}


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def embeddings() -> Tensor:
    return 2 * drawn(BATCH, DIM)


def speakers() -> Tensor:
    return torch.tensor([0, 6, 3, 3, 1, 5])


def classes() -> Tensor:
    return drawn(CLASSES, DIM, seed=2)


@pytest.fixture(params=PENALTIES)
def name(request) -> str:
    return request.param


def build(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PENALTIES[name](DIM, CLASSES).double()


def paid(penalty: nn.Module, x: Tensor, weights: Tensor | None = None, speaker: Tensor | None = None) -> Tensor:
    """The penalty, whose draws are always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return penalty(
            x, speakers() if speaker is None else speaker, classes().to(x.dtype) if weights is None else weights
        )


def unit(a: list[float]) -> list[float]:
    return [x / math.hypot(*a) for x in a]


def angle(a: list[float], b: list[float]) -> float:
    return math.acos(math.fsum(x * y for x, y in zip(unit(a), unit(b), strict=True)))


def slow_negative_arc(x: list[list[float]], weights: list[list[float]], true: list[int]) -> float:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        normal = torch.randn(BATCH, CLASSES, dtype=torch.float64).tolist()
    own = [angle(row, weights[y]) for row, y in zip(x, true, strict=True)]
    spread = math.sqrt(mean((t - mean(own)) ** 2 for t in own))
    found = []
    for i, (row, y) in enumerate(zip(x, true, strict=True)):
        logits = []
        for j, weight in enumerate(weights):
            theta, moved = angle(row, weight), 0.7 * (mean(own) + spread * normal[i][j])
            if j != y:
                theta = max(0.0, theta - moved) if moved > 0 else theta - moved
            logits.append(6 * math.cos(theta))
        found.append(math.log(math.fsum(math.exp(z) for z in logits)) - logits[y])
    return mean(found)


def slow(name: str, penalty: nn.Module) -> float:
    x, weights, true = embeddings().tolist(), classes().tolist(), speakers().tolist()
    units = [unit(row) for row in x]
    near = [min(math.dist(a, b) for j, b in enumerate(units) if i != j) for i, a in enumerate(units)]
    if "center" in name:
        away = [math.dist(row, penalty.centres.tolist()[y]) for row, y in zip(x, true, strict=True)]
        return mean(d * d / 2 for d in away) if "squared" in name else mean(away)
    if name == "negative arc":
        return slow_negative_arc(x, weights, true)
    others = [[w for j, w in enumerate(weights) if j != y] for y in true]
    return {
        "ring": lambda: mean((math.hypot(*row) - 2.0) ** 2 for row in x),
        "koleo": lambda: -mean(near),
        "koleo, log": lambda: -mean(math.log(d + 1e-6) for d in near),
        "min-arc": lambda: -mean(min(angle(weights[y], w) for w in o) for y, o in zip(true, others, strict=True)),
        "min-arc, energy": lambda: mean(
            mean(math.dist(unit(weights[y]), unit(w)) ** -2 for w in o) for y, o in zip(true, others, strict=True)
        ),
    }[name]()


def test_the_penalty_is_the_formula_by_loops(name):
    penalty = build(name)
    assert paid(penalty, embeddings()).item() == pytest.approx(0.4 * slow(name, penalty), rel=1e-11)


def test_the_gradient_is_that_of_finite_differences(name):
    penalty = build(name)
    if name not in ("min-arc", "min-arc, energy", "negative arc"):
        assert torch.autograd.gradcheck(lambda x: paid(penalty, x), embeddings().requires_grad_())
        learnt = [p.detach().clone().requires_grad_() for p in penalty.parameters()]
        names = [n for n, _ in penalty.named_parameters()]

        def of_learnt(*values: Tensor) -> Tensor:
            state = dict(zip(names, values, strict=True))
            return torch.func.functional_call(penalty, state, (embeddings(), speakers(), classes()))

        assert bool(learnt) == (name in LEARNS)
        assert not learnt or torch.autograd.gradcheck(of_learnt, tuple(learnt))
    elif name != "negative arc":
        assert torch.autograd.gradcheck(lambda w: paid(penalty, embeddings(), w), classes().requires_grad_())


def test_the_gradient_of_the_negative_arc_takes_the_drawn_angles_as_they_are():
    # Finite differences would move the mean and spread of the angles too: hold them by a batch that says nothing.
    penalty = NegativeArc(DIM, CLASSES, weight=0.4, scale=6.0, share=1e-12).double()
    inputs = (embeddings().requires_grad_(), classes().requires_grad_())
    assert torch.autograd.gradcheck(lambda x, w: paid(penalty, x, w), inputs)
    plain = nn.functional.cross_entropy(
        6 * nn.functional.normalize(inputs[0]) @ nn.functional.normalize(inputs[1]).T, speakers()
    )
    torch.testing.assert_close(paid(penalty, *inputs), 0.4 * plain)


def test_centres_learn_at_their_own_rate():
    penalty = CenterLoss(DIM, CLASSES, rate=3.0)
    (rest, centres) = parameter_groups(penalty)
    assert not rest["params"]
    assert centres["params"] == [penalty.centres]
    assert (centres["rate"], centres["weight_decay"]) == (3.0, 0.0)


@pytest.mark.parametrize("name", READS_CLASSES)
def test_a_head_without_class_weights_is_refused(name):
    with pytest.raises(BadInput, match="this head has none"):
        build(name)(embeddings(), speakers(), None)


@pytest.mark.parametrize("name", READS_CLASSES)
def test_class_weights_that_are_not_one_a_class_are_refused(name):
    with pytest.raises(BadInput, match=r"class weights of shape \(14, 5\) for 7 classes"):
        build(name)(embeddings(), speakers(), drawn(2 * CLASSES, DIM))
    with pytest.raises(BadInput, match="a penalty on 1 classes"):
        PENALTIES[name](DIM, 1)


@pytest.mark.parametrize("name", [name for name in PENALTIES if name not in READS_CLASSES])
def test_class_weights_are_not_read_where_they_say_nothing(name):
    penalty = build(name)
    torch.testing.assert_close(penalty(embeddings(), speakers(), None), paid(penalty, embeddings()))


@pytest.mark.parametrize("name", [name for name in PENALTIES if name != "negative arc"])
def test_the_batch_may_come_in_any_order(name):
    penalty, order = build(name), [3, 1, 5, 0, 4, 2]
    shuffled = paid(penalty, embeddings()[order], speaker=speakers()[order])
    torch.testing.assert_close(shuffled, paid(penalty, embeddings()))


@pytest.mark.parametrize("name", ["koleo", "koleo, log", "min-arc", "min-arc, energy", "negative arc"])
def test_lengths_do_not_matter_where_directions_are_meant(name):
    penalty = build(name)
    longer = embeddings() * drawn(BATCH, 1, seed=3).exp(), classes() * drawn(CLASSES, 1, seed=4).exp()
    torch.testing.assert_close(paid(penalty, *longer), paid(penalty, embeddings()))


@pytest.mark.parametrize("name", ["koleo", "koleo, log"])
def test_spreading_embeddings_is_rewarded(name):
    penalty, x = build(name), (1 + 0.3 * drawn(BATCH, DIM)).requires_grad_()
    before = nn.functional.normalize(x.detach())
    optimizer = torch.optim.SGD([x], lr=0.2)
    for _ in range(100):
        optimizer.zero_grad()
        paid(penalty, x).backward()
        optimizer.step()
    after = nn.functional.normalize(x.detach())
    assert nn.functional.pdist(after).min() > 2 * nn.functional.pdist(before).min()


@pytest.mark.parametrize("form", ["arc", "energy"])
def test_spreading_classes_is_rewarded(form):
    weights = drawn(4, 3).requires_grad_()
    penalty = MinArc(3, 4, weight=1.0, form=form)
    optimizer = torch.optim.SGD([weights], lr=0.02)
    for _ in range(1500):
        optimizer.zero_grad()
        penalty(torch.ones(4, 3, dtype=torch.float64), torch.arange(4), weights).backward()
        optimizer.step()
    # Four directions in space lie farthest apart as a tetrahedron's corners: arccos(-1/3).
    cosine = nn.functional.normalize(weights.detach()) @ nn.functional.normalize(weights.detach()).T
    assert cosine.fill_diagonal_(-1.0).max() == pytest.approx(-1 / 3, abs=0.03)


def test_others_come_nearer_the_farther_off_the_batch_is():
    weights, penalty = torch.eye(3, dtype=torch.float64), NegativeArc(3, 3, weight=1.0, scale=6.0, share=0.5)
    speaker = torch.arange(3)
    # All true angles are equal, so they have no spread and nothing is drawn: the others move by half that angle.
    for t in (0.2, 0.6):
        x = math.cos(t) * weights + math.sin(t) * weights.roll(1, 1)
        near, far = math.cos(math.pi / 2 - t - t / 2), math.cos(math.pi / 2 - t / 2)
        wanted = math.log(math.fsum(math.exp(6 * c) for c in (math.cos(t), near, far))) - 6 * math.cos(t)
        assert penalty(x, speaker, weights).item() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_the_penalty_in_float32(name, dtype):
    penalty, x = build(name).float(), embeddings().to(dtype).requires_grad_()
    weights = classes().float().requires_grad_()
    with torch.autocast("cpu", dtype=dtype):
        found = paid(penalty, x, weights)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, paid(penalty, x.float(), weights), rtol=0, atol=0)
    for gradient in torch.autograd.grad(found, (x, weights), allow_unused=True):
        assert gradient is None or gradient.isfinite().all()


def test_penalty_and_gradient_are_finite_where_everything_falls_together(name):
    penalty = build(name).float()
    if hasattr(penalty, "centres"):
        nn.init.ones_(penalty.centres)
    x, weights = (torch.ones(n, DIM, requires_grad=True) for n in (BATCH, CLASSES))
    found = paid(penalty, x, weights)
    assert found.isfinite()
    for gradient in torch.autograd.grad(found, (x, weights), allow_unused=True):
        assert gradient is None or gradient.isfinite().all()


def test_a_batch_of_one_is_defined(name):
    x = embeddings()[:1].requires_grad_()
    weights = classes().requires_grad_()
    found = paid(build(name), x, weights, speakers()[:1])
    assert found.isfinite()
    assert all(g is None or g.isfinite().all() for g in torch.autograd.grad(found, (x, weights), allow_unused=True))
    if "koleo" in name:
        assert found.item() == 0


@pytest.mark.parametrize("name", ["center", "center, squared", "min-arc", "min-arc, energy", "negative arc"])
def test_speakers_and_shapes_that_do_not_fit_are_refused(name):
    speaker = speakers()
    speaker[2] = CLASSES
    with pytest.raises(BadInput, match=f"speaker {CLASSES}: this head's classes are 0 to 6"):
        paid(build(name), embeddings(), speaker=speaker)
    with pytest.raises(BadInput, match=r"speakers of shape \(4,\) for 6 embeddings"):
        paid(build(name), embeddings(), speaker=speakers()[:4])
    with pytest.raises(BadInput, match=r"embeddings of shape \(6, 6\)"):
        paid(build(name), drawn(BATCH, DIM + 1))


def test_an_empty_batch_is_refused(name):
    with pytest.raises(BadInput, match="an empty batch has no loss"):
        paid(build(name), drawn(0, DIM), speaker=speakers()[:0])


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (partial(CenterLoss, weight=0.0), "weight: 0 is not a number above 0"),
        (partial(CenterLoss, rate=-1.0), "rate: -1 is not"),
        (partial(RingLoss, radius=0.0), "radius: 0 is not"),
        (partial(KoLeo, lamb=0.0), "lamb: 0 is not"),
        (partial(KoLeo, form="entropy"), "form: 'entropy' is not one of distance, log"),
        (partial(MinArc, form="cosine"), "form: 'cosine' is not one of arc, energy"),
        (partial(NegativeArc, share=0.0), "share: 0 is not"),
    ],
)
def test_options_out_of_range_are_refused(penalty, message):
    with pytest.raises(BadInput, match=message):
        penalty(DIM, CLASSES)
