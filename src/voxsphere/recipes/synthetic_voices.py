"""What two cores learn of synthetic voices in two minutes; `voxsphere demo --train` runs it."""

from functools import partial

from torch.optim import AdamW

from voxsphere.audio.features import Fbank
from voxsphere.data.examples import Crops
from voxsphere.data.synthetic_set import synthetic_set
from voxsphere.losses.margin import AmSoftmax
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import Affine
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Cosine


def synthetic_voices() -> Recipe:
    """A small TDNN on forty synthetic voices, two minutes on two CPU cores; no speech corpus is needed.

    Its settings were chosen with the corpus' test voices in sight: it shows that everything works, and is no result.
    """
    return Recipe(
        name="synthetic_voices",
        data=partial(synthetic_set, held_out=8, speeds=(0.9, 1.1)),
        model=partial(
            SpeakerModel,
            features=partial(Fbank, num_mels=40, cmn=True),
            encoder=partial(Tdnn, width=64, last=192),
            pooling=StatsPooling,
            projection=partial(Affine, dim=64),
        ),
        objective=partial(Classification, head=partial(AmSoftmax, margin=0.2, scale=30.0)),
        examples=partial(Crops, length=2.0),
        optimizer=partial(AdamW, weight_decay=1e-4),
        learning_rate=partial(Cosine, peak=2e-3, final=1e-6, warmup_epochs=1),
        batch_size=32,
        epochs=17,
    )
