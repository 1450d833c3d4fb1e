"""Losses and miners beside pytorch-metric-learning's, where that has the same number."""

from functools import partial

import pytest
import torch
from torch import Tensor

from voxsphere.losses.miners.all_triplets import AllTriplets
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.miners.semi_hard import SemiHard
from voxsphere.losses.multi_similarity import MultiSimilarity
from voxsphere.losses.n_pair import NPair
from voxsphere.losses.supervised_contrastive import SupervisedContrastive
from voxsphere.losses.triplet import Triplet

pytest.importorskip("pytorch_metric_learning")
from pytorch_metric_learning import distances, losses, miners, reducers

SPEAKERS, UTTERANCES, DIM = 5, 3, 8


def tuples(utterances: int = UTTERANCES) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    centre = torch.randn(SPEAKERS, 1, DIM, generator=generator)
    return centre + 0.7 * torch.randn(SPEAKERS, utterances, DIM, generator=generator)


def labels(utterances: int = UTTERANCES) -> Tensor:
    return torch.arange(SPEAKERS).repeat_interleave(utterances)


MEASURES = {
    "euclidean": distances.LpDistance(),
    "squared": distances.LpDistance(power=2),
    "cosine": distances.CosineSimilarity(),
    "inner": distances.DotProductSimilarity(normalize_embeddings=True),
}


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("distance", MEASURES)
def test_triplet(distance, swap):
    theirs = losses.TripletMarginLoss(
        margin=0.3, swap=swap, distance=MEASURES[distance], reducer=reducers.MeanReducer(), triplets_per_anchor="all"
    )
    x = tuples().flatten(0, 1)
    ours = Triplet(distance=distance, swap=swap)(x, AllTriplets()(x, labels()))
    torch.testing.assert_close(ours, theirs(x, labels()))


def as_set(triplets: tuple[Tensor, Tensor, Tensor] | Tensor) -> set[tuple[int, ...]]:
    columns = triplets if isinstance(triplets, tuple) else triplets.unbind(1)
    return set(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("distance", MEASURES)
def test_batch_hard(distance):
    x = tuples().flatten(0, 1)
    theirs = miners.BatchHardMiner(distance=MEASURES[distance])(x, labels())
    assert as_set(BatchHard(distance=distance)(x, labels())) == as_set(theirs)


@pytest.mark.parametrize("margin", [0.1, 0.5])
@pytest.mark.parametrize("distance", MEASURES)
def test_semi_hard(distance, margin):
    x = tuples().flatten(0, 1)
    theirs = miners.TripletMarginMiner(margin=margin, distance=MEASURES[distance], type_of_triplets="semihard")
    found = as_set(SemiHard(distance=distance, margin=margin, every=True)(x, labels()))
    assert found == as_set(theirs(x, labels()))
    assert found


@pytest.mark.parametrize("mining", [None, 0.1])
def test_multi_similarity(mining):
    x = tuples().flatten(0, 1)
    theirs = losses.MultiSimilarityLoss(alpha=2, beta=50, base=0.5)
    chosen = None if mining is None else miners.MultiSimilarityMiner(epsilon=mining)(x, labels())
    ours = MultiSimilarity(threshold=0.5, mining=mining)(tuples())
    torch.testing.assert_close(ours, theirs(x, labels(), chosen))


@pytest.mark.parametrize("temperature", [0.07, 0.1, 1.0])
def test_supervised_contrastive(temperature):
    theirs = losses.SupConLoss(temperature=temperature)(tuples().flatten(0, 1), labels())
    torch.testing.assert_close(SupervisedContrastive(temperature=temperature)(tuples()), theirs)


def test_n_pair():
    # Theirs takes every ordered pair of a speaker's as anchor and positive, so each half of ours is half of theirs.
    x, plain = tuples(2), partial(distances.DotProductSimilarity, normalize_embeddings=False)
    pairs = torch.arange(2 * SPEAKERS).unflatten(0, (SPEAKERS, 2))
    forth = (pairs[:, 0], pairs[:, 1], torch.empty(0, dtype=torch.long), torch.empty(0, dtype=torch.long))
    theirs = losses.NPairsLoss(distance=plain())(x.flatten(0, 1), labels(2), forth)
    torch.testing.assert_close(NPair(shrinkage=0.0)(x), theirs)
