"""Deep-speaker v2: one dense layer over 115 ms, softmax, then triplets, then a softmax on the frozen layer.

P. Rémy's re-implementation of Li et al. 2017, Deep Speaker, arXiv:1705.02304, as its folder `v2` stood in July 2018:
a small network that learns 80 speakers of VCTK. docs/systems/deep_speaker_v2.md has every option of the original.

Published for VCTK: 95 % of windows right after the first stage, a triplet loss of .01 to .02 after 5,000 steps of the
second, 71 % after the third; all with features scaled by each speaker's own mean and deviation, in tests too, which
tell who speaks. Ours, with that and without: docs/results.md.

    voxsphere cuts vctk.tsv --split-table $DEEP_SPEAKER/speakers.tsv --trim-edges --out $DEEP_SPEAKER/cuts.tsv
    voxsphere features extract $DEEP_SPEAKER/cuts.tsv --features Deltas --set of=Mfcc … --out $DEEP_SPEAKER/mfcc.ark
    voxsphere train deep_speaker_v2
"""

from dataclasses import replace
from functools import partial

from torch.optim import Adam

from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Mfcc
from voxsphere.audio.normalisation import GlobalNorm
from voxsphere.audio.stored import Stored
from voxsphere.data.deep_speaker import deep_speaker_cuts
from voxsphere.data.examples import Crops
from voxsphere.data.samplers import Shuffled, SpeakersByUtterances
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.by_index import ByIndex
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.triplet import Triplet
from voxsphere.models.encoders.stacked_dense import StackedDense
from voxsphere.models.poolings.statistics import MeanPooling
from voxsphere.models.projection import AsPooled
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.identification import Identification
from voxsphere.train.objectives import Classification, Metric
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Constant, Plateau, Stopping
from voxsphere.train.stages import Stages
from voxsphere.train.start import STAGE, Start
from voxsphere.train.validation import Verification

RATE, SHIFT = 8000, 80

CEPSTRA = partial(
    Deltas,
    of=partial(Mfcc, sample_rate=RATE, num_mels=13, num_ceps=13, window="hamming", low_freq=0.0, use_energy=True),
)
"""What is stored of each cut: 13 cepstra of 13 mel bands, log energy in place of the first, Δ and ΔΔ; 39 numbers."""

WINDOWS = 30
"""So many windows are taken of a cut that is read once."""


def deep_speaker_v2() -> Stages:
    """Softmax, triplets, softmax on the frozen layer; 94,280 parameters with the head of 80 speakers.

    A window is 10 frames; of longer input each window is decided on, or embedded, by itself: a recording's decision is
    the sum of their log posteriors, its embedding their mean. With `$DEEP_SPEAKER` the folder, or `--data FOLDER`.
    """
    softmax = _softmax()
    triplet = replace(
        softmax,
        name="triplet",
        start=partial(Start, model=f"{STAGE}softmax"),
        data=partial(deep_speaker_cuts, judges="speakers"),
        objective=partial(
            Metric,
            metric=partial(Mined, loss=partial(Triplet, distance="inner", margin=0.2, normalised=False), miner=ByIndex),
        ),
        # Two speakers × 10 cuts × 30 windows: 300 triplets a step, see `ByIndex`.
        sampler=partial(SpeakersByUtterances, utterances=10),
        batch_size=600,
        learning_rate=partial(Constant, value=1e-3),
        validation=Verification,
        stopping=None,
        epochs=25,
        keep="last",
    )
    head = replace(softmax, name="head", start=partial(Start, model=f"{STAGE}triplet", freeze=("features", "encoder")))
    return Stages("deep_speaker_v2", (softmax, triplet, head))


def _softmax() -> Recipe:
    return Recipe(
        name="softmax",
        data=partial(deep_speaker_cuts, judges="recordings"),
        model=partial(
            SpeakerModel,
            features=partial(GlobalNorm, of=partial(Stored, dim=39, sample_rate=RATE, hop=SHIFT), counted="each"),
            encoder=partial(StackedDense, dim=200, stack=10, step=3),
            pooling=MeanPooling,
            projection=AsPooled,
            min_seconds=0.115,
        ),
        objective=partial(Classification, head=Softmax),
        examples=partial(Crops, length=0.1, count=WINDOWS),
        sampler=Shuffled,
        optimizer=Adam,
        # Keras halves after 10 epochs that were no better, ours where more than `patience` were.
        learning_rate=partial(
            Plateau, initial=1e-3, factor=0.5, patience=9, threshold=1e-4, relative=False, minimum=1e-4
        ),
        batch_size=900,
        epochs=1000,
        validation=partial(Identification, figure="frame_error", by="frames"),
        stopping=partial(Stopping, patience=100, minimum_improvement=0.01),
        keep="best",
        log_every=100,
    )
