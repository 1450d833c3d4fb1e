"""What tests of triplet losses and miners share: the miners, and distances by loops."""

import math

from voxsphere.losses.miners.all_triplets import AllTriplets
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.miners.by_index import ByIndex
from voxsphere.losses.miners.dealt import Dealt
from voxsphere.losses.miners.distance_weighted import DistanceWeighted
from voxsphere.losses.miners.hardest_negative import HardestNegative
from voxsphere.losses.miners.rank_based import RankBased
from voxsphere.losses.miners.semi_hard import SemiHard

DISTANCES = ("euclidean", "squared", "cosine", "inner")
MINERS = {
    "all": AllTriplets,
    "hardest negative": HardestNegative,
    "batch hard": BatchHard,
    "by index": ByIndex,
    "dealt": Dealt,
    "semi-hard": SemiHard,
    "distance-weighted": DistanceWeighted,
    "rank-based": RankBased,
}


def slow_distance(distance: str, a: list[float], b: list[float], normalised: bool) -> float:
    if normalised:
        a, b = ([x / math.hypot(*v) for x in v] for v in (a, b))
    inner = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return {
        "euclidean": math.dist(a, b),
        "squared": math.dist(a, b) ** 2,
        "cosine": 1 - inner / math.hypot(*a) / math.hypot(*b),
        "inner": -inner,
    }[distance]
