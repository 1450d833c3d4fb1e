"""A recipe that fine-tunes a finished model on somebody's own speakers."""

import re
from functools import partial
from pathlib import Path

from torch.optim import AdamW

from voxsphere.data.examples import Crops
from voxsphere.data.samplers import SpeakerBalanced
from voxsphere.losses.margin import AamSoftmax
from voxsphere.pretrained import KNOWN, Pretrained
from voxsphere.pretrained.folder import network_of
from voxsphere.recipes.augmentation import without_recordings
from voxsphere.recipes.large_margin import large_margin as with_large_margin
from voxsphere.recipes.own_folder import fit
from voxsphere.train.objectives import Classification
from voxsphere.train.recipe import Recipe
from voxsphere.train.schedule import Cosine
from voxsphere.train.stages import Stages
from voxsphere.train.start import Start

EXAMPLES = 20_000
"""About so many crops are learnt from: a third of what a network from nothing is given."""


def transfer(
    path: Path, pretrained: Pretrained, name: str, *, freeze: tuple[str, ...] = (), large_margin: bool = False
) -> Recipe | Stages:
    """Fine-tune `pretrained`, which the user called `name`, on what lies in `path` (see `own_folder.fit`).

    The class weights begin at the speakers' mean embeddings, so that the network is not pulled about by random ones,
    and all learns at one low rate; `freeze` leaves parts as they are. The last epochs are averaged, whatever the
    held-out speakers say, so that these can judge. With `large_margin` a stage of longer crops and a wider margin
    follows.
    """
    found = fit(path)
    lies = name if name in KNOWN or not Path(name).exists() else str(pretrained.folder.resolve())
    recipe = Recipe(
        name=re.sub(r"[^\w.-]+", "_", f"{found.name}-from-{pretrained.card.name}"),
        data=found.data,
        model=network_of(pretrained.folder),
        start=partial(Start, model=lies, head="means", freeze=freeze),
        objective=partial(Classification, head=partial(AamSoftmax, margin=0.2, scale=30.0)),
        examples=partial(Crops, length=3.0),
        sampler=SpeakerBalanced,
        augment=without_recordings(),
        optimizer=partial(AdamW, weight_decay=1e-4),
        learning_rate=partial(Cosine, peak=1e-4, final=1e-6, warmup_epochs=1),
        batch_size=found.batch_size,
        epochs=found.epochs(EXAMPLES, 3, 20),
        clip=5.0,
        keep="average",
        average=3,
    )
    if not large_margin:
        return recipe
    last = with_large_margin(recipe, margin=0.4, epochs=max(2, recipe.epochs // 4), rate=2e-5)
    return Stages(recipe.name, (recipe, last))
