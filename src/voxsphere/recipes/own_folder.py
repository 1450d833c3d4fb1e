"""A recipe for a folder of somebody's own recordings, found by looking at it."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from voxsphere.audio.features import Fbank
from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.data.examples import Crops
from voxsphere.data.manifests import open_manifest
from voxsphere.data.samplers import SpeakerBalanced
from voxsphere.data.test_lists import TEST_SPLITS
from voxsphere.data.training_set import TrainingSet, training_set
from voxsphere.losses.margin import AamSoftmax
from voxsphere.models.encoders.ecapa_tdnn import EcapaTdnn
from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.projection import NormLinearNorm
from voxsphere.models.speaker import SpeakerModel
from voxsphere.recipes.augmentation import without_recordings
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Cosine

EXAMPLES = 60_000
"""About so many crops are learnt from in all, an hour or less on two cores."""


@dataclass(frozen=True)
class Fit:
    """What a run on somebody's recordings is fitted to: the data, their name, how many utterances are learnt from at
    least, and the batch that these fill.
    """

    name: str
    data: partial[TrainingSet]
    learning: int
    batch_size: int

    def epochs(self, examples: int, least: int, most: int) -> int:
        """As many epochs as deal about so many examples, within these bounds."""
        return min(most, max(least, examples // max(1, self.learning)))


def fit(path: Path) -> Fit:
    """What lies in `path`, looked at.

    A fifth of the speakers who have two files or more are held out, at least two and at most fifty. Of a table
    that says which rows are for training, only those are taken. `BadInput` where fewer than two speakers would be left
    to learn from.
    """
    whole = open_manifest(path)
    split = teaching_split(whole)
    manifest = [utterance for utterance in whole if utterance.split == split or not split]
    counts = Counter((utterance.dataset, utterance.speaker) for utterance in manifest)
    several = sum(count > 1 for count in counts.values())
    held_out = min(50, max(2, round(several / 5)))
    if several < 2 or len(counts) - held_out < 2:
        raise BadInput(
            f"{path}: {len(counts)} speakers, {several} of them with two files or more; four speakers with two files "
            "each are the least to learn from and to judge by"
        )
    # At least so many: which speakers are held out is drawn later, and those with most files may be among them.
    learning = sum(sorted(counts.values())[: len(counts) - held_out])
    return Fit(
        name=path.resolve().stem or "voices",
        data=partial(training_set, manifest=str(path.resolve()), split=split, held_out=held_out),
        learning=learning,
        batch_size=min(32, max(2, learning // 4)),
    )


def own_folder(path: Path) -> Recipe:
    """A small ECAPA-TDNN for what lies in `path`: see `fit` for the speakers held out and for what is refused."""
    found = fit(path)
    return Recipe(
        name=found.name,
        data=found.data,
        model=partial(
            SpeakerModel,
            features=partial(Fbank, num_mels=80, cmn=True),
            encoder=partial(EcapaTdnn, width=256, last=768, squeeze=64),
            pooling=partial(AttentiveStatsPooling, bottleneck=64, context=True),
            projection=partial(NormLinearNorm, dim=128),
        ),
        objective=partial(Classification, head=partial(AamSoftmax, margin=0.2, scale=30.0)),
        examples=partial(Crops, length=2.0),
        sampler=SpeakerBalanced,
        augment=without_recordings(),
        learning_rate=partial(Cosine, peak=1e-3, final=1e-6, warmup_epochs=1),
        batch_size=found.batch_size,
        epochs=found.epochs(EXAMPLES, 5, 100),
        clip=5.0,
        keep="best",
    )


def teaching_split(manifest: Manifest) -> str:
    """The split that a manifest's rows are to be learnt from: train, or dev where there is a test split; "" for all.

    Capitals do not matter; the split is given as the manifest spells it.
    """
    splits = {utterance.split.lower(): utterance.split for utterance in manifest}
    if "train" in splits:
        return splits["train"]
    return splits["dev"] if "dev" in splits and splits.keys() & TEST_SPLITS else ""
