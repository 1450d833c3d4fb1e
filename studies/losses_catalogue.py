"""What the study of losses compares: the rows of its table, and the classes that docs/losses.md describes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from voxsphere.core.parts import Json, chosen, describe
from voxsphere.losses.a_softmax import ASoftmax
from voxsphere.losses.center import CenterLoss
from voxsphere.losses.circle import CircleSoftmax
from voxsphere.losses.contrastive import Contrastive
from voxsphere.losses.curricular import CurricularAam
from voxsphere.losses.dynamic_margin import DynamicMargin
from voxsphere.losses.focal import Focal
from voxsphere.losses.ge2e import Ge2e
from voxsphere.losses.hyperbolic import HyperbolicAam
from voxsphere.losses.inter_top_k import InterTopKAam
from voxsphere.losses.koleo import KoLeo
from voxsphere.losses.logistic_margin import LogisticMargin
from voxsphere.losses.margin import AamSoftmax, AmSoftmax
from voxsphere.losses.min_arc import MinArc
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.all_triplets import AllTriplets
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.miners.by_index import ByIndex
from voxsphere.losses.miners.dealt import Dealt
from voxsphere.losses.miners.distance_weighted import DistanceWeighted
from voxsphere.losses.miners.hardest_negative import HardestNegative
from voxsphere.losses.miners.rank_based import RankBased
from voxsphere.losses.miners.semi_hard import SemiHard
from voxsphere.losses.multi_similarity import MultiSimilarity
from voxsphere.losses.n_pair import NPair
from voxsphere.losses.negative_arc import NegativeArc
from voxsphere.losses.prototypical import AngularPrototypical, Prototypical
from voxsphere.losses.ring import RingLoss
from voxsphere.losses.smoothing import LabelSmoothing
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.sphereface2 import SphereFace2
from voxsphere.losses.sub_centre import SubCentreAam
from voxsphere.losses.supervised_contrastive import SupervisedContrastive
from voxsphere.losses.triplet import Triplet
from voxsphere.train.margins import LambdaAnnealing
from voxsphere.train.objectives import Classification, Joint, Metric
from voxsphere.train.parts import PARTS
from voxsphere.train.schedule import Schedule


@dataclass(frozen=True)
class Row:
    """A loss of the table: its name there, the objective it is trained with, and the margin's schedule, if any."""

    name: str
    objective: partial[Any]
    margin: Callable[[], Schedule] | None = None

    @property
    def made_of(self) -> str:
        """The parts, and those of their options that are not the defaults."""
        told = chosen(describe(self.objective), PARTS)
        assert isinstance(told, dict)
        parts = {name: value for name, value in told.items() if name != "part"}
        shown = [_called(value) for name, value in parts.items() if name in ("head", "metric")]
        added = parts.get("penalties")
        shown += [_called(each) for each in added] if isinstance(added, list) else []
        schedule = "" if self.margin is None else f", {_called(chosen(describe(self.margin), PARTS))}"
        return " + ".join(shown) + schedule


def _called(part: Json) -> str:
    """A part as one would write it: its class, with options in brackets where any were chosen."""
    if not isinstance(part, dict):
        return f"{part:g}" if isinstance(part, float) else str(part)
    options = [f"{name}={_called(value)}" for name, value in part.items() if name != "part"]
    return f"{part['part']}({', '.join(options)})" if options else str(part["part"])


def _head(head: Any, *penalties: Any) -> partial[Any]:
    return partial(Classification, head=head, penalties=penalties)


def _mined(loss: Any, miner: Any) -> partial[Any]:
    return partial(Metric, metric=partial(Mined, loss=loss, miner=miner))


def _joint(head: Any, metric: Any) -> partial[Any]:
    return partial(Joint, head=head, metric=metric)


REFERENCE = "aam"
"""The row that all others are compared with: what the recipes train with."""

ROWS = (
    Row("softmax", _head(Softmax)),
    Row("a-softmax", _head(ASoftmax), margin=LambdaAnnealing),
    Row("am", _head(AmSoftmax)),
    Row("aam", _head(AamSoftmax)),
    Row("logistic margin", _head(LogisticMargin)),
    Row("dynamic margin", _head(DynamicMargin)),
    Row("sub-centre aam", _head(SubCentreAam)),
    Row("inter-top-k aam", _head(InterTopKAam)),
    Row("circle", _head(CircleSoftmax)),
    Row("sphereface2", _head(SphereFace2)),
    Row("curricular aam", _head(CurricularAam)),
    Row("hyperbolic aam", _head(HyperbolicAam)),
    Row("aam, smoothed", _head(partial(LabelSmoothing, head=AamSoftmax))),
    Row("aam, focal", _head(partial(Focal, head=AamSoftmax))),
    Row("softmax, centre", _head(Softmax, CenterLoss)),
    Row("softmax, ring", _head(Softmax, RingLoss)),
    Row("aam, min-arc", _head(AamSoftmax, MinArc)),
    Row("aam, negative arc", _head(AamSoftmax, NegativeArc)),
    Row("aam, KoLeo", _head(AamSoftmax, KoLeo)),
    Row("GE2E, softmax", partial(Metric, metric=Ge2e)),
    Row("GE2E, contrast", partial(Metric, metric=partial(Ge2e, method="contrast"))),
    Row("prototypical", partial(Metric, metric=Prototypical)),
    Row("angular prototypical", partial(Metric, metric=AngularPrototypical)),
    Row("N-pair", partial(Metric, metric=NPair)),
    Row("multi-similarity", partial(Metric, metric=MultiSimilarity)),
    Row("supervised contrastive", partial(Metric, metric=SupervisedContrastive)),
    Row("contrastive, all", _mined(Contrastive, AllTriplets)),
    Row("triplet, all", _mined(Triplet, AllTriplets)),
    Row("triplet, hardest negative", _mined(Triplet, HardestNegative)),
    Row("triplet, batch hard", _mined(Triplet, BatchHard)),
    Row("triplet, semi-hard", _mined(Triplet, SemiHard)),
    Row("triplet, distance-weighted", _mined(Triplet, DistanceWeighted)),
    Row("triplet, rank-based", _mined(Triplet, RankBased)),
    Row("softmax-prototypical", _joint(Softmax, AngularPrototypical)),
    Row("softmax with triplet", _joint(Softmax, partial(Mined, loss=Triplet, miner=HardestNegative))),
    Row("aam with angular prototypical", _joint(AamSoftmax, AngularPrototypical)),
)
"""All rows, by kind; the table sorts them by what they reach."""

FAMILIES: dict[str, tuple[type, ...]] = {
    "Classification heads": (
        Softmax, ASoftmax, AmSoftmax, AamSoftmax, LogisticMargin, DynamicMargin, SubCentreAam, InterTopKAam,
        CircleSoftmax, SphereFace2, CurricularAam, HyperbolicAam, LabelSmoothing, Focal,
    ),
    "Penalties beside a head": (CenterLoss, RingLoss, KoLeo, MinArc, NegativeArc),
    "Losses on tuples": (
        Ge2e, Prototypical, AngularPrototypical, NPair, MultiSimilarity, SupervisedContrastive,
    ),
    "Losses on triplets": (Triplet, Contrastive, Mined),
    "Miners": (AllTriplets, HardestNegative, BatchHard, SemiHard, DistanceWeighted, RankBased, ByIndex, Dealt),
}  # fmt: skip
"""The classes that the page describes, by heading."""

ELSEWHERE: tuple[type, ...] = (ByIndex, Dealt)
"""Those without a row: what they are worth, the study of the system that they belong to tells (docs/results.md)."""
