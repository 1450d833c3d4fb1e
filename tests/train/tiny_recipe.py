"""A recipe that learns eight made-up speakers in a second; `train tiny_recipe.py` runs it."""

from functools import partial

from torch.optim import SGD

from voxsphere.audio.features import Fbank
from voxsphere.data.examples import Crops
from voxsphere.data.training_set import training_set
from voxsphere.losses.margin import AamSoftmax
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import NormLinearNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.average import Ema
from voxsphere.train.margins import MarginRamp
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Cosine


def recipe() -> Recipe:
    """Everything that has a state is in it: momentum, batch norm, an average, a margin, a schedule, accumulation."""
    return Recipe(
        name="tiny",
        data=partial(training_set, manifest="$SPEAKERS", held_out=4, targets=20),
        model=partial(
            SpeakerModel,
            features=partial(Fbank, num_mels=20),
            encoder=partial(Tdnn, width=12, last=16),
            pooling=StatsPooling,
            projection=partial(NormLinearNorm, dim=8),
        ),
        objective=partial(Classification, head=partial(AamSoftmax, scale=10.0)),
        examples=partial(Crops, length=(0.4, 0.6)),
        optimizer=partial(SGD, momentum=0.9, weight_decay=1e-4),
        learning_rate=partial(Cosine, peak=0.05, final=1e-3, warmup_epochs=0.5),
        margin=partial(MarginRamp, final=0.2, begin_epoch=2, end_epoch=5, shape="linear"),
        batch_size=8,
        accumulate=2,
        epochs=8,
        clip=5.0,
        ema=partial(Ema, decay=0.9),
        keep="average",
        average=3,
        log_every=2,
    )
