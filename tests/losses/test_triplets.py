"""Losses on triplets, and Mined, which makes tuple losses of them: slow loops in float64, and laws."""

import math
from functools import partial
from statistics import mean

import pytest
import torch
from torch import Tensor, nn
from triplet_parts import DISTANCES, MINERS, slow_distance

from voxsphere.core.errors import BadInput
from voxsphere.losses.contrastive import Contrastive
from voxsphere.losses.distances import Measure
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.all_triplets import AllTriplets
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.miners.hardest_negative import HardestNegative
from voxsphere.losses.miners.semi_hard import SemiHard
from voxsphere.losses.triplet import Triplet

SPEAKERS, UTTERANCES, DIM = 4, 3, 5
LOSSES = {
    **{distance: partial(Triplet, distance=distance) for distance in DISTANCES},
    **{f"{distance}, raw": partial(Triplet, distance=distance, normalised=False) for distance in DISTANCES},
    **{f"{distance}, swap": partial(Triplet, distance=distance, swap=True) for distance in DISTANCES},
    "contrastive": Contrastive,
    "contrastive, raw": partial(Contrastive, normalised=False, margin=2.5),
}


def slow_each(loss: nn.Module, x: list[list[float]], triplet: list[int]) -> float:
    d = partial(slow_distance, loss.measure.distance, normalised=loss.measure.normalised)
    a, p, n = (x[i] for i in triplet)
    if isinstance(loss, Contrastive):
        return d(a, p) ** 2 + max(0.0, loss.margin - d(a, n)) ** 2
    return max(0.0, d(a, p) - (min(d(a, n), d(p, n)) if loss.swap else d(a, n)) + loss.margin)


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rows() -> Tensor:
    return (drawn(SPEAKERS, 1, DIM) + 0.7 * drawn(SPEAKERS, UTTERANCES, DIM, seed=2)).flatten(0, 1)


def labels() -> Tensor:
    return torch.arange(SPEAKERS).repeat_interleave(UTTERANCES)


def some() -> Tensor:
    return torch.tensor([[0, 1, 3], [4, 3, 0], [8, 7, 11], [9, 11, 2], [9, 11, 5]])


@pytest.fixture(params=LOSSES)
def name(request) -> str:
    return request.param


# Few triplets are fetched by rows, many from a table of all distances.
@pytest.mark.parametrize("triplets", [some(), AllTriplets()(rows(), labels())], ids=["few", "all"])
def test_the_loss_is_the_formula_by_loops(name, triplets):
    loss = LOSSES[name]()
    wanted = [slow_each(loss, rows().tolist(), triplet) for triplet in triplets.tolist()]
    torch.testing.assert_close(loss.each(rows(), triplets), torch.tensor(wanted, dtype=torch.float64))
    assert loss(rows(), triplets).item() == pytest.approx(mean(wanted), rel=1e-12)


@pytest.mark.parametrize("triplets", [some(), AllTriplets()(rows(), labels())], ids=["few", "all"])
def test_the_gradient_is_that_of_finite_differences(name, triplets):
    assert torch.autograd.gradcheck(lambda x: LOSSES[name]()(x, triplets), rows().requires_grad_())


@pytest.mark.parametrize("distance", DISTANCES)
def test_swap_costs_as_much_or_more_and_the_same_where_the_anchor_is_the_nearer(distance):
    triplets = AllTriplets()(rows(), labels())
    loss = Triplet(distance=distance)
    plain, swapped = loss.each(rows(), triplets), Triplet(distance=distance, swap=True).each(rows(), triplets)
    a, p, n = triplets.unbind(1)
    nearer = loss.measure.between(rows(), a, n) <= loss.measure.between(rows(), p, n)
    assert (swapped >= plain).all()
    assert 0 < nearer.sum() < len(nearer)
    torch.testing.assert_close(swapped[nearer], plain[nearer], rtol=0, atol=0)
    assert (swapped[~nearer] > plain[~nearer]).any()


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("distance", DISTANCES)
def test_a_collapsed_embedding_costs_the_margin_exactly_and_has_a_finite_gradient(distance, swap, normalised):
    loss = Triplet(distance=distance, margin=0.2, swap=swap, normalised=normalised)
    x = torch.full((SPEAKERS * UTTERANCES, DIM), 0.7, requires_grad=True)
    for triplets in (some(), AllTriplets()(x, labels())):
        found = loss.each(x, triplets)
        assert (found == torch.tensor(0.2)).all()
        (gradient,) = torch.autograd.grad(found.mean(), x)
        assert gradient.isfinite().all()


def test_the_deep_speaker_form_is_the_hinge_of_inner_products():
    a, p, n = rows()[some()].unbind(1)
    wanted = ((a * n).sum(1) - (a * p).sum(1) + 0.2).clamp_min(0).mean()
    torch.testing.assert_close(Triplet(distance="inner", margin=0.2, normalised=False)(rows(), some()), wanted)


def test_inner_products_of_unit_vectors_make_the_cosine_loss():
    torch.testing.assert_close(
        Triplet(distance="inner", margin=0.1)(rows(), some()), Triplet(distance="cosine", margin=0.1)(rows(), some())
    )


@pytest.mark.parametrize("name", [name for name in LOSSES if "raw" not in name])
def test_the_length_of_an_embedding_does_not_matter_where_unit_vectors_are_measured(name):
    longer = rows() * drawn(len(rows()), 1, seed=4).exp()
    torch.testing.assert_close(LOSSES[name]()(longer, some()), LOSSES[name]()(rows(), some()))


def test_a_wider_margin_never_costs_less():
    losses = [Triplet(margin=m)(rows(), some()).item() for m in (0.05, 0.1, 0.3, 1.0)]
    assert losses == sorted(losses)
    assert losses[0] < losses[-1]


def test_no_triplet_costs_nothing_and_hands_down_a_gradient_of_zeros(name):
    x = rows().requires_grad_()
    found = LOSSES[name]()(x, torch.empty(0, 3, dtype=torch.long))
    found.backward()
    assert found.item() == 0
    assert (x.grad == 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_the_loss_in_float32(name, dtype):
    loss, x = LOSSES[name](), rows().to(dtype).requires_grad_()
    for triplets in (some(), AllTriplets()(x, labels())):
        with torch.autocast("cpu", dtype=dtype):
            found = loss(x, triplets)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, loss(x.float(), triplets), rtol=0, atol=0)
        (gradient,) = torch.autograd.grad(found, x)
        assert gradient.isfinite().all()


@pytest.fixture(params=MINERS)
def miner(request) -> str:
    return request.param


def test_mined_is_the_loss_over_the_triplets_of_its_miner(miner):
    mined, tuples = Mined(loss=Triplet, miner=MINERS[miner]), rows().unflatten(0, (SPEAKERS, UTTERANCES))
    torch.manual_seed(3)
    triplets = MINERS[miner]()(rows(), labels())
    torch.manual_seed(3)
    torch.testing.assert_close(mined(tuples), Triplet()(rows(), triplets))
    assert mined.triplets.item() == len(triplets) > 0
    active = [slow_each(Triplet(), rows().tolist(), triplet) > 0 for triplet in triplets.tolist()]
    assert mined.active.item() == pytest.approx(mean(active))
    assert not mined.state_dict()


@pytest.mark.parametrize("shape", [(1, 3, DIM), (4, 1, DIM), (1, 1, DIM)], ids=str)
def test_mined_costs_nothing_where_no_triplet_can_be_made(miner, shape):
    mined, x = Mined(loss=Triplet, miner=MINERS[miner]), drawn(*shape).requires_grad_()
    mined(rows().unflatten(0, (SPEAKERS, UTTERANCES)))
    found = mined(x)
    found.backward()
    assert found.item() == mined.active.item() == mined.triplets.item() == 0
    assert (x.grad == 0).all()


def test_mined_speakers_and_utterances_may_come_in_any_order_where_nothing_is_drawn():
    x = rows().unflatten(0, (SPEAKERS, UTTERANCES))
    for miner in (AllTriplets, BatchHard, SemiHard):
        mined = Mined(loss=Triplet, miner=miner)
        torch.testing.assert_close(mined(x[[2, 0, 3, 1]][:, [1, 2, 0]]), mined(x))
    # The first of a pair is the anchor, so here the order of utterances matters.
    mined = Mined(loss=Triplet, miner=HardestNegative)
    torch.testing.assert_close(mined(x[[2, 0, 3, 1]]), mined(x))


def test_a_miner_that_measures_otherwise_than_the_loss_is_refused():
    with pytest.raises(BadInput, match=r"loss measures .*'cosine'.* but miner .*'euclidean'"):
        Mined(loss=partial(Triplet, distance="cosine"), miner=BatchHard)
    with pytest.raises(BadInput, match="give both the same distance and normalised"):
        Mined(loss=Contrastive, miner=partial(BatchHard, normalised=False))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Triplet(distance="manhattan"),
            "distance: 'manhattan' is not one of euclidean, squared, cosine, inner",
        ),
        (lambda: Triplet(margin=0.0), "margin: 0 is not a number above 0"),
        (lambda: Contrastive(margin=-1.0), "margin: -1 is not a number above 0"),
        (lambda: Triplet()(rows(), some()[:, :2]), r"triplets of shape \(5, 2\) over embeddings of shape \(12, 5\)"),
        (
            lambda: Contrastive()(rows()[None], some()),
            r"triplets of shape \(5, 3\) over embeddings of shape \(1, 12, 5",
        ),
        (lambda: Mined(loss=Triplet, miner=BatchHard)(rows()), r"shape \(12, 5\); a loss on tuples takes"),
        (lambda: Mined(loss=Triplet, miner=BatchHard)(drawn(0, 3, DIM)), "a batch of 0 × 3 "),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(call, message):
    with pytest.raises(BadInput, match=message):
        call()


def test_near_neighbours_far_from_the_origin_keep_their_distance_in_float32():
    x = (100 + 1e-2 * drawn(4, DIM)).float()
    every = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    for pairs in (every, every[:2]):
        found = Measure("euclidean", normalised=False).between(x, *pairs.unbind(1))
        wanted = torch.tensor([math.dist(x[i].tolist(), x[j].tolist()) for i, j in pairs.tolist()])
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=0)
