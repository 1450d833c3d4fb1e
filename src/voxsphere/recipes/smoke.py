"""The smallest real run: learns a few synthetic voices in seconds."""

from functools import partial

from voxsphere.audio.features import Fbank
from voxsphere.data.examples import Crops
from voxsphere.data.synthetic_set import synthetic_set
from voxsphere.losses.margin import AamSoftmax
from voxsphere.models.encoders.tdnn import Tdnn
from voxsphere.models.poolings.statistics import StatsPooling
from voxsphere.models.projection import LinearNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Cosine


def smoke() -> Recipe:
    """Twenty synthetic voices and a small TDNN, in seconds: does everything work here? Nothing is published."""
    return Recipe(
        name="smoke",
        data=partial(synthetic_set, speakers=20, test_speakers=0, utterances=6, held_out=6, targets=60),
        model=partial(
            SpeakerModel,
            features=partial(Fbank, num_mels=40, cmn=True),
            encoder=partial(Tdnn, width=64, last=192),
            pooling=StatsPooling,
            projection=partial(LinearNorm, dim=64),
        ),
        objective=partial(Classification, head=partial(AamSoftmax, margin=0.1, scale=20.0)),
        examples=partial(Crops, length=1.0),
        learning_rate=partial(Cosine, peak=2e-3, final=1e-5, warmup_epochs=1),
        batch_size=14,
        epochs=10,
    )
