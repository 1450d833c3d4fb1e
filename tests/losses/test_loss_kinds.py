"""Every loss, miner and penalty of the catalogue is of one kind, so that a wrong one in a recipe is refused by name."""

from voxsphere.catalogue import CATALOGUE
from voxsphere.core.kinds import is_of
from voxsphere.losses.contract import Miner, Penalty, TripletLoss, TupleLoss
from voxsphere.losses.head import Head

KINDS = {
    TupleLoss: {"AngularPrototypical", "Ge2e", "Mined", "MultiSimilarity", "NPair", "Prototypical"}
    | {"SupervisedContrastive"},
    TripletLoss: {"Contrastive", "Triplet"},
    Miner: {"AllTriplets", "BatchHard", "ByIndex", "Dealt", "DistanceWeighted", "HardestNegative", "RankBased"}
    | {"SemiHard"},
    Penalty: {"CenterLoss", "KoLeo", "MinArc", "NegativeArc", "RingLoss"},
}


def fitting(kind: type) -> set[str]:
    return {name for name, made in CATALOGUE.items() if is_of(made, kind)}


def test_each_kind_has_its_own_members_and_no_others():
    assert {kind: fitting(kind) for kind in KINDS} == KINDS
    assert not fitting(Head) & set().union(*KINDS.values())
