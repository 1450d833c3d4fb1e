"""Two ways to train in stages, in small: softmax and then a margin, softmax and then triplets. Both learn synthetic
voices.
"""

from dataclasses import replace
from functools import partial

from voxsphere.data.samplers import SpeakersByUtterances
from voxsphere.losses.margin import AmSoftmax
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.triplet import Triplet
from voxsphere.recipes.smoke import smoke
from voxsphere.train.objectives import Classification, Metric
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Constant
from voxsphere.train.stages import Stages
from voxsphere.train.start import STAGE, Start

_EVERY_PART = ("features", "encoder", "pooling", "projection")


def softmax_then_margin() -> Stages:
    """Plain softmax, then a new head with a margin at a tenth of the rate: twenty synthetic voices, in seconds.

    The two stages of Hajibabaei & Dai 2018, Unified hypersphere embedding, arXiv:1807.08312: what is hard to learn from
    nothing is learnt from a network that tells the speakers apart already. Nothing is published of this small one.
    """
    margin = replace(
        smoke(),
        name="margin",
        start=partial(Start, model=f"{STAGE}softmax"),
        objective=partial(Classification, head=partial(AmSoftmax, margin=0.2, scale=20.0)),
        learning_rate=partial(Constant, value=2e-4),
        epochs=5,
    )
    return Stages("softmax_then_margin", (_softmax(), margin))


def softmax_then_triplet() -> Stages:
    """Plain softmax, then triplets, then a softmax on the frozen network: twenty synthetic voices, in seconds.

    The three stages of Deep Speaker's re-implementation (Li et al. 2017, arXiv:1705.02304). The last one leaves the
    embedding as it is; its accuracy tells how well the speakers can still be parted by planes. Nothing is published of
    this small one.
    """
    triplet = replace(
        smoke(),
        name="triplet",
        start=partial(Start, model=f"{STAGE}softmax"),
        objective=partial(Metric, metric=partial(Mined, loss=Triplet, miner=BatchHard)),
        sampler=partial(SpeakersByUtterances, utterances=2),
        learning_rate=partial(Constant, value=2e-4),
        epochs=5,
    )
    head = replace(_softmax(), name="head", start=partial(Start, model=f"{STAGE}triplet", freeze=_EVERY_PART), epochs=3)
    return Stages("softmax_then_triplet", (_softmax(), triplet, head))


def _softmax() -> Recipe:
    return replace(smoke(), name="softmax", objective=partial(Classification, head=partial(Softmax)), epochs=5)
