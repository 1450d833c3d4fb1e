"""What an hour on two CPU cores can learn from the development corpus' train speakers."""

from functools import partial

from voxsphere.audio.features import Fbank
from voxsphere.data.examples import Crops
from voxsphere.data.samplers import Shuffled
from voxsphere.data.training_set import training_set
from voxsphere.losses.margin import AamSoftmax
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import NormLinearNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.recipes.augmentation import development_noise
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Cosine
from voxsphere.train.validation import Verification


def small_corpus() -> Recipe:
    """ECAPA-TDNN of 512 channels on the development corpus, about an hour on two CPU cores. Ours: docs/results.md.

    All choices were made on held-out train speakers. The trial lists of the corpus are of other speakers still.
    """
    return Recipe(
        name="small_corpus",
        data=partial(
            training_set,
            manifest="$VOXSPHERE_CORPUS/manifest.tsv",
            split_table="$VOXSPHERE_CORPUS/split.tsv",
            split="train",
            held_out=0.1,
            targets=2000,
        ),
        model=partial(
            SpeakerModel,
            features=partial(Fbank, num_mels=80, cmn=True),
            encoder=partial(EcapaTdnn, width=512, squeeze=128),
            pooling=partial(AttentiveStatsPooling, context=True),
            projection=partial(NormLinearNorm, dim=192),
        ),
        objective=partial(Classification, head=partial(AamSoftmax, margin=0.2, scale=30.0)),
        examples=partial(Crops, length=2.0),
        sampler=Shuffled,
        augment=development_noise(probability=0.3),
        learning_rate=partial(Cosine, peak=1e-3, final=1e-6, warmup_epochs=1),
        batch_size=32,
        epochs=12,
        validation=partial(Verification, every=3),
        clip=5.0,
        keep="average",
        average=3,
    )
