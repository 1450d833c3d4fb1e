"""What a system is to beat: an untrained copy of its network, and the mean and spread of each utterance's features."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch

from studies.systems.place import Place
from studies.systems.running import HEARD, Embed, embedder, nearest_means, scored, untrained
from studies.systems.study import SEEDS, Row, Tested, Told
from voxsphere.audio.features import Fbank
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data.source import source_of
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.recipe import Recipe
from voxsphere.train.stages import Stages

UNTRAINED = "untrained copy"
STATISTICS = "mean and std"
Recipes = Callable[[Place, int], Recipe | Stages]
Lists = Callable[[Place], Mapping[str, Tested]]
Sets = Callable[[Place], Mapping[str, Manifest]]


def verification_floors(recipe: Recipes, lists: Lists, *, seconds: float = HEARD) -> tuple[Row, Row]:
    """Rows that score the lists by an untrained copy of the recipe's network, and by mean and std of features.

    These are the stored features that the network takes; where it takes waves, 80 log mel bands. They are taken less
    their mean over utterances that the recipe learns from.
    """

    def copy(place: Place, seed: int) -> Told:
        return {"scores": scored(embedder(untrained(recipe(place, seed), seed), seconds=seconds), lists(place))}

    def described(place: Place, seed: int) -> Told:
        made = recipe(place, seed)
        taught = _last(made).data().train
        return {"scores": scored(statistics(untrained(made, seed), taught, seconds=seconds), lists(place))}

    return Row(UNTRAINED, copy, SEEDS), Row(STATISTICS, described, SEEDS[:1])


def closed_set_floors(recipe: Recipes, sets: Sets, *, seconds: float = HEARD) -> tuple[Row, Row]:
    """Rows that decide on the sets by the nearest speaker's mean: of an untrained copy's embeddings, and of features'
    mean and std; see `verification_floors`, `running.nearest_means`."""

    def copy(place: Place, seed: int) -> Told:
        made = recipe(place, seed)
        embed = embedder(untrained(made, seed), seconds=seconds)
        return {"decisions": nearest_means(embed, _last(made).data().train, sets(place))}

    def described(place: Place, seed: int) -> Told:
        made = recipe(place, seed)
        taught = _last(made).data().train
        embed = statistics(untrained(made, seed), taught, seconds=seconds)
        return {"decisions": nearest_means(embed, taught, sets(place))}

    return Row(UNTRAINED, copy, SEEDS), Row(STATISTICS, described, SEEDS[:1])


def statistics(model: SpeakerModel, taught: Manifest, *, seconds: float = HEARD) -> Embed:
    """Embeds an utterance as the mean and standard deviation of its features over time, less the mean of `taught`'s."""
    source = source_of(model)
    bands = None if model.width is not None else Fbank(sample_rate=model.sample_rate)

    def described(utterance: Utterance) -> np.ndarray:
        held = torch.from_numpy(np.array(source.beginning(utterance, seconds)))
        frames = held if bands is None else bands(held[None])[0]
        return torch.cat([frames.mean(0), frames.std(0, correction=0)]).numpy()

    centre = np.stack([described(utterance) for utterance in taught.utterances[::5]]).mean(0)

    def embed(utterances: Iterable[Utterance]) -> np.ndarray:
        return np.stack([described(utterance) for utterance in utterances]) - centre

    return embed


def _last(recipe: Recipe | Stages) -> Recipe:
    return recipe.recipes[-1] if isinstance(recipe, Stages) else recipe
