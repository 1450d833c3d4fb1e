"""What a recipe feeds its model with: the items of its training set, and the plan of which come when."""

from voxsphere.audio.augment.chain import check_all
from voxsphere.core.errors import BadInput
from voxsphere.data.dataset import Items
from voxsphere.data.examples import Examples, Windows
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
    examples = _bound(recipe.examples(), model)
    each = examples.places.count
    if recipe.batch_size % each:
        raise BadInput(
            f"a batch of {recipe.batch_size} cannot hold {each} crops of each utterance; take a batch_size that is a "
            "multiple of examples.count"
        )
    sampler = recipe.sampler(data.classes, durations, batch_size=recipe.batch_size // each, seed=recipe.seed)
    return items, Plan(sampler, examples, durations, recipe.seed)


def _bound(examples: Examples, model: SpeakerModel) -> Examples:
    return examples.of(model) if isinstance(examples, Windows) else examples
