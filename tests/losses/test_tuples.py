"""Losses on tuples: slow loops in float64, sums by hand, and laws."""

import math
from functools import partial
from statistics import mean

import pytest
import torch
from torch import Tensor, nn

from voxsphere.core.errors import BadInput
from voxsphere.losses.ge2e import Ge2e
from voxsphere.losses.multi_similarity import MultiSimilarity
from voxsphere.losses.n_pair import NPair
from voxsphere.losses.prototypical import AngularPrototypical, Prototypical
from voxsphere.losses.scaled_cosine import ScaledCosine
from voxsphere.losses.supervised_contrastive import SupervisedContrastive

SPEAKERS, UTTERANCES, DIM = 4, 3, 5
Batch = list[list[list[float]]]


def dot(a: list[float], b: list[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def unit(a: list[float]) -> list[float]:
    return [x / math.hypot(*a) for x in a]


def cosine(a: list[float], b: list[float]) -> float:
    return dot(unit(a), unit(b))


def centre(rows: list[list[float]]) -> list[float]:
    return [mean(column) for column in zip(*rows, strict=True)]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def missed(logits: list[float], own: int) -> float:
    return math.log(math.fsum(math.exp(z) for z in logits)) - logits[own]


def slow_ge2e(x: Batch, *, method: str = "softmax", w: float = 10.0, b: float = -5.0, normalised: bool = True) -> float:
    found = []
    for j, utterances in enumerate(x):
        for i, e in enumerate(utterances):
            scores = []
            for k, others in enumerate(x):
                kept = [unit(o) if normalised else o for m, o in enumerate(others) if (k, m) != (j, i)]
                scores.append(w * cosine(e, centre(kept)) + b)
            if method == "softmax":
                found.append(missed(scores, j))
            else:
                found.append(1 - sigmoid(scores[j]) + max(sigmoid(s) for k, s in enumerate(scores) if k != j))
    return mean(found)


def slow_prototypical(x: Batch) -> float:
    prototypes = [centre(s[1:]) for s in x]
    return mean(missed([-(math.dist(s[0], c) ** 2) for c in prototypes], j) for j, s in enumerate(x))


def slow_angular(x: Batch, *, w: float = 10.0, b: float = -5.0) -> float:
    prototypes = [centre(s[1:]) for s in x]
    return mean(missed([w * cosine(s[0], c) + b for c in prototypes], j) for j, s in enumerate(x))


def slow_n_pair(x: Batch, *, shrinkage: float = 0.002) -> float:
    found = []
    for u in range(1, len(x[0])):
        for j, s in enumerate(x):
            gaps = [dot(s[0], x[k][u]) - dot(s[0], s[u]) for k in range(len(x)) if k != j]
            found.append(math.log1p(math.fsum(math.exp(g) for g in gaps)))
    return mean(found) + shrinkage / 2 * mean(dot(e, e) for s in x for e in s)


def slow_multi_similarity(
    x: Batch, *, alpha: float = 2.0, beta: float = 50.0, threshold: float = 1.0, mining: float | None = 0.1
) -> float:
    found = []
    for j, s in enumerate(x):
        for i, e in enumerate(s):
            same = [cosine(e, o) for m, o in enumerate(s) if m != i]
            other = [cosine(e, o) for k, t in enumerate(x) if k != j for o in t]
            if mining is not None:
                far, near = min(same), max(other)
                same, other = [c for c in same if c < near + mining], [c for c in other if c > far - mining]
            pull = math.log1p(math.fsum(math.exp(-alpha * (c - threshold)) for c in same)) / alpha
            push = math.log1p(math.fsum(math.exp(beta * (c - threshold)) for c in other)) / beta
            found.append(pull + push)
    return mean(found)


def slow_supervised_contrastive(x: Batch, *, temperature: float = 0.1) -> float:
    rows = [(j, e) for j, s in enumerate(x) for e in s]
    found = []
    for i, (j, e) in enumerate(rows):
        logits = [cosine(e, o) / temperature for a, (_, o) in enumerate(rows) if a != i]
        total = math.log(math.fsum(math.exp(z) for z in logits))
        speakers = [k for a, (k, _) in enumerate(rows) if a != i]
        found.append(mean(total - z for z, k in zip(logits, speakers, strict=True) if k == j))
    return mean(found)


# Each loss, its slow form, and options away from the defaults.
LOSSES = {
    "ge2e": (Ge2e, slow_ge2e, {"w": 4.0, "b": 1.0}),
    "ge2e, raw centroids": (partial(Ge2e, normalised=False), partial(slow_ge2e, normalised=False), {"w": 4.0}),
    "ge2e, contrast": (partial(Ge2e, method="contrast"), partial(slow_ge2e, method="contrast"), {"w": 3.0, "b": -1.0}),
    "prototypical": (Prototypical, slow_prototypical, {}),
    "angular": (AngularPrototypical, slow_angular, {"w": 4.0, "b": 1.0}),
    "n-pair": (NPair, slow_n_pair, {"shrinkage": 0.3}),
    "multi-similarity": (MultiSimilarity, slow_multi_similarity, {"alpha": 3.0, "beta": 7.0, "mining": 0.05}),
    "multi-similarity, all pairs": (
        partial(MultiSimilarity, mining=None),
        partial(slow_multi_similarity, mining=None),
        {"threshold": 0.5},
    ),
    "supervised contrastive": (SupervisedContrastive, slow_supervised_contrastive, {"temperature": 0.5}),
}
COSINES = [name for name in LOSSES if name not in ("prototypical", "n-pair")]
SYMMETRIC = [name for name in LOSSES if name not in ("prototypical", "angular", "n-pair")]


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def batch(seed: int = 1) -> Tensor:
    """Speakers that can be told apart, not without mistakes."""
    return drawn(SPEAKERS, 1, DIM, seed=seed) + 0.7 * drawn(SPEAKERS, UTTERANCES, DIM, seed=seed + 100)


def build(name: str, **options: object) -> nn.Module:
    return LOSSES[name][0](**options).double()


@pytest.fixture(params=LOSSES)
def name(request) -> str:
    return request.param


@pytest.mark.parametrize("changed", [False, True], ids=["defaults", "other options"])
@pytest.mark.parametrize("shape", [(SPEAKERS, UTTERANCES), (2, 2), (3, 6)])
def test_the_loss_is_the_published_formula_by_loops(name, changed, shape):
    _, slow, others = LOSSES[name]
    options = others if changed else {}
    x = drawn(shape[0], 1, DIM) + 0.7 * drawn(*shape, DIM, seed=2)
    loss = build(name, **options)
    if hasattr(loss, "scale"):  # w was in float32 before the double() above; everything else is exact
        assert loss.scale.w.item() == pytest.approx(options.get("w", 10.0), rel=1e-6)
        options = {**options, "w": loss.scale.w.item()}
    assert loss(x).item() == pytest.approx(slow(x.tolist(), **options), rel=1e-11)


def test_ge2e_of_two_by_two_by_two_by_hand():
    # Speaker 0 looks along the axes x and y, speaker 1 along -x and along y.
    x = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    # Own centroids are the other utterance: cosine 0 each. The others' are halfway, at 135° and at 45° of x:
    # cosine -√½ from (1, 0) and from (-1, 0), and √½ from (0, 1).
    far, near = math.log1p(math.exp(-2 * math.sqrt(0.5))), math.log1p(math.exp(2 * math.sqrt(0.5)))
    assert Ge2e(w=2.0, b=0.7).double()(x).item() == pytest.approx((far + near) / 2, rel=1e-6)
    contrast = mean([1 - sigmoid(0.7) + sigmoid(0.7 + side * 2 * math.sqrt(0.5)) for side in (-1, 1)])
    assert Ge2e(method="contrast", w=2.0, b=0.7).double()(x).item() == pytest.approx(contrast, rel=1e-6)


def test_the_gradient_is_that_of_finite_differences(name):
    loss = build(name)
    assert torch.autograd.gradcheck(loss, batch().requires_grad_())
    if hasattr(loss, "scale"):

        def of_scale(r: Tensor, b: Tensor) -> Tensor:
            return torch.func.functional_call(loss, {"scale.r": r, "scale.b": b}, (batch(),))

        assert torch.autograd.gradcheck(
            of_scale, tuple(p.detach().clone().requires_grad_() for p in loss.scale.parameters())
        )


def test_speakers_may_come_in_any_order(name):
    loss, order = build(name), [2, 0, 3, 1]
    torch.testing.assert_close(loss(batch()[order]), loss(batch()))


@pytest.mark.parametrize("name", SYMMETRIC)
def test_a_speakers_utterances_may_come_in_any_order_where_none_is_a_query(name):
    loss, x = build(name), batch()
    torch.testing.assert_close(loss(torch.stack([x[0][[1, 2, 0]], x[1][[2, 1, 0]], x[2], x[3]])), loss(x))


@pytest.mark.parametrize("name", ["prototypical", "angular", "n-pair"])
def test_what_is_not_the_query_may_come_in_any_order(name):
    loss, x = build(name), batch()
    torch.testing.assert_close(loss(x[:, [0, 2, 1]]), loss(x))


@pytest.mark.parametrize("name", COSINES)
def test_the_length_of_the_embeddings_does_not_matter_to_cosines(name):
    loss, x = build(name), batch()
    torch.testing.assert_close(loss(1e-2 * x), loss(x))
    if name in ("ge2e", "supervised contrastive", "multi-similarity"):  # not even that of a single one
        longer = x * drawn(SPEAKERS, UTTERANCES, 1, seed=3).exp()
        torch.testing.assert_close(loss(longer), loss(x))


def test_the_loss_falls_when_a_speakers_utterances_come_together(name):
    centres, noise = drawn(SPEAKERS, 1, DIM, seed=5), drawn(SPEAKERS, UTTERANCES, DIM, seed=6)
    losses = [build(name)(centres + spread * noise).item() for spread in (2.0, 1.0, 0.5, 0.25)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]


def test_stepping_down_the_gradient_brings_each_first_utterance_to_its_speakers_others(name):
    loss, x = build(name), batch(seed=9).requires_grad_()
    optimizer = torch.optim.Adam([x, *loss.parameters()], lr=0.05)
    before = loss(x).item()
    for _ in range(100):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
    assert loss(x).item() < before
    found = x.detach() if name == "prototypical" else nn.functional.normalize(x.detach(), dim=2)
    nearest = torch.cdist(found[:, 0], found[:, 1:].mean(1)).argmin(1)
    assert nearest.tolist() == list(range(SPEAKERS))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_the_loss_in_float32(name, dtype):
    loss, x = build(name).float(), batch().to(dtype).requires_grad_()
    with torch.autocast("cpu", dtype=dtype):
        found = loss(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss(x.float()), rtol=0, atol=0)
    (gradient,) = torch.autograd.grad(found, x)
    assert gradient.isfinite().all()


def test_loss_and_gradient_are_finite_where_all_embeddings_fall_together(name):
    x = torch.ones(SPEAKERS, UTTERANCES, DIM, requires_grad=True)
    loss = LOSSES[name][0]()(x)
    loss.backward()
    assert loss.isfinite()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", ["ge2e", "prototypical", "angular"])
def test_a_collapse_costs_what_guessing_costs(name):
    assert build(name)(torch.ones(7, 3, DIM, dtype=torch.float64)).item() == pytest.approx(math.log(7), rel=1e-6)


def test_w_stays_above_0_and_can_always_come_back():
    scale = ScaledCosine(10.0, -5.0)
    assert scale.w.item() == pytest.approx(10, rel=1e-6)
    slope = torch.autograd.grad(scale.w, scale.r)[0].item()
    assert slope == pytest.approx(1, abs=5e-5)
    optimizer = torch.optim.SGD(scale.parameters(), lr=1.0)
    for _ in range(30):
        optimizer.zero_grad()
        scale(torch.tensor(1.0)).backward()
        optimizer.step()
    assert 0 < scale.w.item() < 0.1
    assert torch.autograd.grad(scale.w, scale.r)[0] > 0


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, DIM), "a batch of 1 × 3 .speakers × utterances.; this loss needs 2 × 2 or more"),
        ((4, 1, DIM), "a batch of 4 × 1 "),
        ((1, 1, DIM), "a batch of 1 × 1 "),
        ((0, 3, DIM), "a batch of 0 × 3 "),
        ((6, DIM), r"shape \(6, 5\); a loss on tuples takes \[speakers, utterances, dim\]"),
    ],
)
def test_a_batch_that_has_nothing_to_compare_is_refused_in_a_line(name, shape, message):
    with pytest.raises(BadInput, match=message):
        build(name)(drawn(*shape))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (partial(Ge2e, method="triplet"), "method: 'triplet' is not one of softmax, contrast"),
        (partial(Ge2e, w=0.0), "w: 0 is not a number above 0"),
        (partial(AngularPrototypical, w=-1.0), "w: -1 is not"),
        (partial(NPair, shrinkage=-0.1), "shrinkage: -0.1"),
        (partial(MultiSimilarity, alpha=0.0), "alpha: 0"),
        (partial(MultiSimilarity, threshold=1.5), "threshold: 1.5 is no cosine"),
        (partial(MultiSimilarity, mining=-0.1), "mining: -0.1 is no difference of cosines"),
        (partial(SupervisedContrastive, temperature=0.0), "temperature: 0"),
    ],
)
def test_options_out_of_range_are_refused(loss, message):
    with pytest.raises(BadInput, match=message):
        loss()
