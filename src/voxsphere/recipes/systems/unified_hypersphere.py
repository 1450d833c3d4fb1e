"""Unified hypersphere embedding (Hajibabaei & Dai 2018) on VoxCeleb1: softmax, then a head with a margin."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from torch.optim import SGD

from voxsphere.audio.augment.repetition import AppendItself
from voxsphere.audio.augment.reversal import Reverse
from voxsphere.data.examples import Crops
from voxsphere.data.samplers import Drawn
from voxsphere.data.training_set import TrainingSet
from voxsphere.data.voxceleb1 import voxceleb1_identification, voxceleb1_verification
from voxsphere.losses.head import Head
from voxsphere.losses.logistic_margin import LogisticMargin
from voxsphere.losses.softmax import Softmax
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.identification import Identification
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Steps
from voxsphere.train.stages import Stages
from voxsphere.train.start import STAGE, Start
from voxsphere.zoo import NETWORKS

SAMPLES = 48_241
"""An example: 3.015 s at 16 kHz and a sample, 300 frames of 25 ms."""
ITERATIONS, FALL = 61_600, 2_800
"""Updates of a stage, and those after which the rate falls by a quarter: an epoch here, of 50 examples each."""


def unified_hypersphere() -> Stages:
    """ResNet-20 for verification: people whose names begin with E are strangers, split 2 of the others judges.

    Hajibabaei & Dai 2018, Unified hypersphere embedding for speaker recognition, arXiv:1807.08312. Published: 4.30 %
    EER and minDCF(0.01) 0.413 on veri_test.txt (128 dimensions, dropout, additive margin). Ours: docs/results.md, on
    other data. Hardware and hours are not stated there.

    Softmax from nothing; then the classifier anew on unit vectors, with a trained scale (100) and shift of each class
    and a margin of 50 after them. A-Softmax, AM-softmax of one scale, and the logistic margin stand in its place by
    `--set 2.objective.head=…`; docs/systems/unified_hypersphere.md has all options, and what differs from the original.

        export VOXCELEB1=…    # id10001/VIDEO/00001.wav or A.J._Buckley/VIDEO_0000001.wav; iden_split.txt, vox1_meta.csv
        voxsphere train unified_hypersphere
    """
    model, data = NETWORKS["resnet20-verification"].model, partial(voxceleb1_verification)
    return _stages(
        "unified_hypersphere", data, model, partial(LogisticMargin, margin=50.0, scale=100.0, normalised=True), "new"
    )


def unified_hypersphere_identification() -> Stages:
    """ResNet-20 for identification of VoxCeleb1's 1,251 people: splits 1, 2 and 3 of iden_split.txt.

    Hajibabaei & Dai 2018, arXiv:1807.08312, as `unified_hypersphere` but for the data (a run for one is none for the
    other: their splits overlap), 512 dimensions, no dropout, and a logistic margin of 30, which goes on from the class
    weights and biases of softmax. Published: top-1 94.47 %, top-5 98.30 % of split 3, from 50 crops an utterance. Ours:
    docs/results.md, on other data.

        voxsphere train unified_hypersphere/identification
    """
    model, data = NETWORKS["resnet20"].model, partial(voxceleb1_identification)
    head = partial(LogisticMargin, margin=30.0, scale=50.0)
    return _stages("unified_hypersphere_identification", data, model, head, "carried")


def _stages(
    name: str,
    data: Callable[[], TrainingSet],
    model: partial[SpeakerModel],
    head: Callable[..., Head],
    begun: Literal["new", "carried"],
) -> Stages:
    softmax = Recipe(
        name="softmax",
        data=data,
        model=model,
        objective=partial(Classification, head=partial(Softmax)),
        examples=partial(Crops, length=SAMPLES / 16_000),
        sampler=partial(Drawn, batches=FALL),
        augment=(AppendItself, Reverse),
        optimizer=partial(SGD, momentum=0.93, weight_decay=5e-4),
        learning_rate=partial(Steps, initial=0.05, factor=0.75, every=1),
        batch_size=50,
        epochs=ITERATIONS // FALL,
        validation=partial(Identification, seconds=SAMPLES / 16_000),
        log_every=100,
    )
    margin = replace(
        softmax,
        name="margin",
        start=partial(Start, model=f"{STAGE}softmax", head=begun),
        model=_without_decay(model),
        objective=partial(Classification, head=head),
        learning_rate=partial(Steps, initial=0.005, factor=0.75, every=1),
    )
    return Stages(name, (softmax, margin))


def _without_decay(model: partial[SpeakerModel]) -> partial[SpeakerModel]:
    """The network whose last layer does not decay, as in the second stage."""
    projection: Any = model.keywords["projection"]
    return partial(
        model.func,
        **{**model.keywords, "projection": partial(projection.func, **{**projection.keywords, "weight_decay": 0.0})},
    )
