"""Miners: brute force over every triplet, chances counted, and laws."""

import itertools
import math
from collections import Counter

import pytest
import torch
from torch import Tensor
from triplet_parts import DISTANCES, MINERS, slow_distance

from voxsphere.core.errors import BadInput
from voxsphere.losses.miners.all_triplets import AllTriplets
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.miners.by_index import ByIndex
from voxsphere.losses.miners.dealt import Dealt
from voxsphere.losses.miners.distance_weighted import DistanceWeighted
from voxsphere.losses.miners.hardest_negative import HardestNegative
from voxsphere.losses.miners.rank_based import RankBased
from voxsphere.losses.miners.semi_hard import SemiHard

DIM = 5
# Speakers with one to four utterances, in no order, and with numbers that mean nothing.
LABELS = torch.tensor([7, 2, 2, 9, 7, 4, 2, 9, 2, 7])
Triplets = list[tuple[int, int, int]]


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def batch(seed: int = 1) -> Tensor:
    return drawn(len(LABELS), DIM, seed=seed) + drawn(10, DIM, seed=seed + 50)[LABELS]


def every(label: list[int]) -> Triplets:
    return [
        (a, p, n)
        for a, p, n in itertools.product(range(len(label)), repeat=3)
        if a != p and label[a] == label[p] != label[n]
    ]


def nearest(d: list[list[float]], triplets: Triplets) -> Triplets:
    """Of each pair of anchor and positive the triplet with the nearest negative."""
    return [
        min(group, key=lambda t: d[t[0]][t[2]]) for _, group in itertools.groupby(triplets, key=lambda t: (t[0], t[1]))
    ]


def slow_batch_hard(d: list[list[float]], label: list[int]) -> Triplets:
    return [
        max(nearest(d, list(group)), key=lambda t: d[t[0]][t[1]])
        for _, group in itertools.groupby(every(label), key=lambda t: t[0])
    ]


def slow_hardest_negative(d: list[list[float]], label: list[int], margin: float) -> Triplets:
    pairs = [(a, p, n) for a, p, n in every(label) if a < p]
    return [(a, p, n) for a, p, n in nearest(d, pairs) if d[a][p] - d[a][n] + margin > 0]


def slow_semi_hard(d: list[list[float]], label: list[int], margin: float) -> Triplets:
    return [(a, p, n) for a, p, n in every(label) if d[a][p] < d[a][n] < d[a][p] + margin]


def distances(distance: str, normalised: bool, seed: int) -> list[list[float]]:
    x = batch(seed).tolist()
    return [[slow_distance(distance, a, b, normalised) for b in x] for a in x]


def found(miner, seed: int) -> Triplets:
    triplets = miner(batch(seed), LABELS)
    assert triplets.dtype == torch.int64
    return [tuple(triplet) for triplet in triplets.tolist()]


def test_all_triplets_are_all():
    assert found(AllTriplets(), 1) == every(LABELS.tolist())


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("distance", DISTANCES)
def test_miners_find_what_brute_force_finds(distance, normalised, seed):
    options, d = {"distance": distance, "normalised": normalised}, distances(distance, normalised, seed)
    assert found(BatchHard(**options), seed) == slow_batch_hard(d, LABELS.tolist())
    kept = []
    for margin in (0.02, 0.2, 2.0):
        hardest = slow_hardest_negative(d, LABELS.tolist(), margin)
        kept.append(len(hardest))
        assert found(HardestNegative(margin=margin, **options), seed) == hardest
        semi = slow_semi_hard(d, LABELS.tolist(), margin)
        assert found(SemiHard(margin=margin, every=True, **options), seed) == semi
        assert found(SemiHard(margin=margin, **options), seed) == nearest(d, semi)
    assert kept[0] <= kept[-1]


def test_hardest_negative_keeps_nothing_of_speakers_well_apart():
    x = torch.eye(3).repeat_interleave(2, 0)
    label = torch.arange(3).repeat_interleave(2)
    assert HardestNegative(margin=0.3)(x, label).shape == (0, 3)
    assert len(HardestNegative(margin=1.5)(x, label)) == 3


def test_dealt_triplets_are_two_of_a_speaker_and_the_last_of_the_next():
    assert found(Dealt(), 1) == [(1, 2, 5), (0, 4, 7), (3, 7, 8)]
    threes = torch.arange(4).repeat_interleave(3)
    triplets = Dealt()(drawn(12, DIM), threes)
    assert triplets.tolist() == [[0, 1, 5], [3, 4, 8], [6, 7, 11], [9, 10, 2]]
    assert sorted(triplets.flatten().tolist()) == list(range(12))  # every utterance is in one triplet
    assert torch.equal(triplets, Dealt()(100 * drawn(12, DIM, seed=9), threes))  # wherever the embeddings lie


def test_distance_weighted_draws_by_the_inverse_density_of_distances():
    miner, dim = DistanceWeighted(nearest=0.5, farthest=1.4), 8
    x = drawn(2, dim) + 0.8 * drawn(2, dim, seed=7)
    x = torch.cat([x[:1], x[:1], x[:1] + 0.25 * drawn(6, dim, seed=8).abs().cumsum(0)])
    label = torch.tensor([0, 0, 1, 1, 1, 1, 1, 1])
    units = [[v / math.hypot(*row) for v in row] for row in x.tolist()]
    weights = {}
    for n in range(2, 8):
        d = math.dist(units[0], units[n])
        if d < 1.4:
            d = max(d, 0.5)
            weights[n] = 1 / (d ** (dim - 2) * (1 - d * d / 4) ** ((dim - 3) / 2))
    assert len(weights) > 3
    chances = miner.chances(x, label[:, None] != label)[0]
    expected = torch.tensor([weights.get(n, 0.0) for n in range(8)], dtype=torch.float64)
    torch.testing.assert_close(chances, expected / expected.max())
    # The pairs (0, 1) and (1, 0) are two of the rows; speaker 1's pairs are the rest.
    torch.manual_seed(0)
    counted = Counter()
    for _ in range(1000):
        triplets = miner(x, label)
        assert triplets[:2, :2].tolist() == [[0, 1], [1, 0]]
        counted.update(triplets[:2, 2].tolist())
    for n in range(2, 8):
        assert counted[n] / 2000 == pytest.approx(weights.get(n, 0.0) / sum(weights.values()), abs=0.04)


def test_distance_weighted_takes_any_negative_where_all_are_beyond_reach():
    x = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.1, 0.0], [-1.0, 0.0, 0.0], [-1.0, 0.0, 0.1]])
    label = torch.tensor([0, 0, 1, 1])
    chances = DistanceWeighted()(x, label)
    assert len(chances) == 4
    weight = DistanceWeighted().chances(x, label[:, None] != label)
    assert weight.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    # Opposite vectors, whose density is 0, are let in without a weight of infinity.
    assert DistanceWeighted(farthest=2.0).chances(x, label[:, None] != label).isfinite().all()


@pytest.mark.parametrize(("rank", "probability"), [(0, 1.0), (2, 1.0), (2, 0.5), (100, 1.0), (3, 0.0)])
def test_rank_based_draws_from_the_nearest_with_its_probability(rank, probability):
    label = torch.tensor([0, 1, 0, 1, 2, 3, 4, 5])  # pairs (0, 2) and (1, 3), six negatives each
    x = drawn(8, DIM)
    miner = RankBased(rank=rank, probability=probability, distance="cosine")
    torch.manual_seed(0)
    drawn_ = [miner(x, label).tolist() for _ in range(2000)]
    for pair, (a, p) in enumerate([(0, 2), (1, 3)]):
        order = sorted(
            (n for n in range(8) if label[n] != label[a]),
            key=lambda n: slow_distance("cosine", x[a].tolist(), x[n].tolist(), True),
        )
        counted = Counter(triplets[pair][2] for triplets in drawn_)
        assert all(triplets[pair][:2] == [a, p] for triplets in drawn_)
        near = min(rank + 1, len(order))
        for place, n in enumerate(order):
            wanted = (1 - probability) / len(order) + (probability / near if place < near else 0)
            assert counted[n] / 2000 == pytest.approx(wanted, abs=0.04)


@pytest.mark.parametrize("miner", MINERS)
def test_triplets_are_of_one_speaker_and_another(miner):
    triplets = MINERS[miner]()(batch(), LABELS)
    a, p, n = LABELS[triplets].unbind(1)
    assert len(triplets)
    assert (a == p).all()
    assert (triplets[:, 0] != triplets[:, 1]).all()
    assert (a != n).all()


@pytest.mark.parametrize("miner", ["distance-weighted", "rank-based"])
def test_what_is_drawn_follows_torchs_seed(miner):
    def mined(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return MINERS[miner]()(batch(), LABELS)

    assert torch.equal(mined(1), mined(1))
    assert not torch.equal(mined(1), mined(2))


@pytest.mark.parametrize("miner", MINERS)
@pytest.mark.parametrize("label", [[0, 0, 0], [0, 1, 2], [0]], ids=["one speaker", "one each", "one row"])
def test_a_batch_without_a_triplet_gives_none(miner, label):
    triplets = MINERS[miner]()(drawn(len(label), DIM), torch.tensor(label))
    assert triplets.shape == (0, 3)
    assert triplets.dtype == torch.int64


@pytest.mark.parametrize("miner", MINERS)
def test_autocast_and_half_precision_choose_as_float32_does(miner):
    x = batch().half().requires_grad_()
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        triplets = MINERS[miner]()(x, LABELS)
    torch.manual_seed(0)
    assert torch.equal(triplets, MINERS[miner]()(x.float(), LABELS))


@pytest.mark.parametrize("miner", MINERS)
def test_what_does_not_fit_is_refused_in_a_line(miner):
    with pytest.raises(BadInput, match=r"labels of shape \(9,\) for embeddings of shape \(10, 5\)"):
        MINERS[miner]()(batch(), LABELS[1:])
    with pytest.raises(BadInput, match="an empty batch has no triplets"):
        MINERS[miner]()(drawn(0, DIM), LABELS[:0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RankBased(rank=-1), "rank: -1 is not 0 or more"),
        (lambda: RankBased(probability=1.5), "probability: 1.5 is not within 0 and 1"),
        (lambda: DistanceWeighted(nearest=1.5), "nearest 1.5, farthest 1.4"),
        (lambda: SemiHard(margin=0.0), "margin: 0 is not a number above 0"),
        (lambda: HardestNegative(distance="far"), "distance: 'far' is not one of"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(BadInput, match=message):
        make()


def slow_by_index(label: list[int]) -> Triplets:
    speakers = sorted(set(label))
    triplets = []
    for i, speaker in enumerate(speakers):
        own = [row for row, other in enumerate(label) if other == speaker]
        others = [row for row, other in enumerate(label) if other == speakers[(i + 1) % len(speakers)]]
        half = len(own) // 2
        triplets += [(own[j], own[half + j], others[j % len(others)]) for j in range(half)]
    return triplets


@pytest.mark.parametrize("label", [LABELS.tolist(), [0] * 6 + [1] * 6, [3, 3, 3, 5]])
def test_triplets_by_index_are_halves_and_the_next_speaker(label: list[int]):
    mined = ByIndex()(torch.zeros(len(label), DIM), torch.tensor(label))
    assert [tuple(row) for row in mined.tolist()] == slow_by_index(label)


def test_two_speakers_of_300_make_300_triplets_of_which_nothing_is_chosen():
    label = torch.arange(2).repeat_interleave(300)
    mined = ByIndex()(drawn(600, DIM), label)
    assert torch.equal(mined, ByIndex()(drawn(600, DIM, seed=2), label))
    assert mined.shape == (300, 3)
    assert mined[:, :2].flatten().unique().shape == (600,)
    assert (label[mined[:, 0]] == label[mined[:, 1]]).all()
    assert (label[mined[:, 0]] != label[mined[:, 2]]).all()
