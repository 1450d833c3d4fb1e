"""The combined-loss system: a residual network over stored cepstra learns from mined triplets and a softmax at once.

    voxsphere features convert 'mfcc/**/*.scp' --min-recordings 5 --hold-out 10 --out data/train.hdf
    COMBINED_LOSS=data voxsphere train combined_loss                              # or: train combined_loss --data data
    voxsphere train combined_loss --data data --set model=resnet-small-deltas --set objective.head=AmSoftmax

All options, and where they depart from the original's: docs/systems/combined_loss.md.
"""

from dataclasses import replace
from functools import partial

from torch.optim import SGD

from voxsphere.audio.stored import Stored
from voxsphere.data.examples import Crops
from voxsphere.data.hdf5_set import hdf5_set
from voxsphere.data.samplers import SpeakerBalanced, SpeakersByUtterances
from voxsphere.losses.koleo import KoLeo
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.hardest_negative import HardestNegative
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.triplet import Triplet
from voxsphere.train.objectives import Classification, Joint
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Plateau
from voxsphere.train.stages import Stages
from voxsphere.train.start import STAGE, Start
from voxsphere.zoo import NETWORKS

_UTTERANCES = 5
_ON_UNIT_VECTORS = partial(Softmax, normalised=True)


def combined_loss() -> Recipe:
    """Triplets and softmax over 23 stored cepstra, 25.7 M parameters (Monteiro, Alam & Falk 2019, Combining speaker
    recognition and metric learning for speaker-dependent representation learning, Interspeech; multitask_asv).

    L = mined triplets + cross-entropy − λ · mean distance to the nearest neighbour. Published: no figure is in the
    original's repository. Ours, of a small form: docs/results.md.
    """
    return Recipe(
        name="combined_loss",
        data=partial(hdf5_set, root="$COMBINED_LOSS"),
        model=partial(NETWORKS["resnet-mfcc"].model, features=partial(Stored, dim=23)),
        objective=partial(
            Joint,
            head=_ON_UNIT_VECTORS,
            metric=partial(
                Mined, loss=partial(Triplet, margin=0.3, swap=False), miner=partial(HardestNegative, margin=0.3)
            ),
            penalties=(partial(KoLeo, lamb=1e-3),),
        ),
        # A random crop of 800 frames of which a batch keeps a random prefix, [T/4, T): a crop of that length.
        examples=partial(Crops, length=(2.0, 8.0)),
        sampler=partial(SpeakersByUtterances, utterances=_UTTERANCES, cycles=10),
        optimizer=partial(SGD, momentum=0.9, weight_decay=1e-5),
        learning_rate=partial(Plateau, initial=1e-3, factor=0.5, patience=10, threshold=1e-4, minimum=1e-7),
        batch_size=64 * _UTTERANCES,
        epochs=500,
        keep="best",
        seed=1,
    )


def combined_loss_pretrained() -> Stages:
    """`combined_loss` from a classifier: softmax alone on one utterance a speaker, then all of it (`--pretrain`,
    `--pretrained-path`).
    """
    first = replace(
        combined_loss(),
        name="pretrain",
        objective=partial(Classification, head=_ON_UNIT_VECTORS),
        examples=partial(Crops, length=(4.0, 8.0)),
        sampler=partial(SpeakerBalanced, repeats=10),
        batch_size=64,
    )
    second = replace(combined_loss(), start=partial(Start, model=f"{STAGE}pretrain", head="carried"))
    return Stages("combined_loss_pretrained", (first, second))
