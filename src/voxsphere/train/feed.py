"""What a recipe feeds its model with: the items of its training set, and the plan of which come when."""

from voxsphere.audio.augment.chain import check_all
from voxsphere.data.dataset import Items
from voxsphere.data.loader import Plan
from voxsphere.data.source import source_of
from voxsphere.data.training_set import TrainingSet
from voxsphere.models.speaker import SpeakerModel
from voxsphere.train.recipe import Recipe


def feed(recipe: Recipe, data: TrainingSet, model: SpeakerModel) -> tuple[Items, Plan]:
    """The items, cut for the model's front end, and the plan; see `data.loader.load`.

    `BadInput` where an augmentation's recordings are not to be had (they would count as broken files one by one), and
    where the model takes stored features, for what can only be done to waves.
    """
    augment = tuple(make() for make in recipe.augment)
    source = source_of(model, augment)
    check_all(augment)
    items = Items(
        data.train,
        data.classes,
        source,
        model.features.frames_of,
        model.features.dim,
        None if recipe.masks is None else recipe.masks(),
        data.domains,
    )
    durations = tuple(source.seconds(utterance) for utterance in data.train)
    sampler = recipe.sampler(data.classes, durations, batch_size=recipe.batch_size, seed=recipe.seed)
    return items, Plan(sampler, recipe.examples(), durations, recipe.seed)
