"""Published networks over stored features: what stands around their front end stays, what it was makes place."""

from functools import partial

import torch

from voxsphere.audio.deltas import Deltas
from voxsphere.audio.features import Fbank, Mfcc
from voxsphere.audio.normalisation import SlidingNorm
from voxsphere.audio.stored import Stored
from voxsphere.models.speaker import SpeakerModel
from voxsphere.recipes.smoke import smoke
from voxsphere.zoo import NETWORKS
from voxsphere.zoo.stored_input import over_stored_of

STORED = partial(Stored, dim=30, sample_rate=8000, hop=80)


def present(features) -> partial[SpeakerModel]:
    return partial(smoke().model, features=features)


def test_a_recipe_over_waves_takes_the_network_as_it_is():
    network = NETWORKS["resnet-small"].model
    for features in (Fbank, partial(Mfcc, num_ceps=20), partial(Deltas, of=Mfcc)):
        assert over_stored_of(present(features), network) is network


def test_stored_features_stand_where_the_innermost_front_end_stood():
    plain = over_stored_of(present(STORED), NETWORKS["resnet-small"].model)
    assert plain.keywords["features"] is STORED
    # What stood around the stored features of the recipe's own network was that network's.
    deltas = over_stored_of(present(partial(SlidingNorm, of=STORED)), NETWORKS["resnet-small-deltas"].model)
    made = deltas.keywords["features"]
    assert (made.func, made.keywords["window"], made.keywords["form"]) == (Deltas, 1, "librosa")
    assert made.keywords["of"] is STORED
    for model, dim in ((plain, 30), (deltas, 90)):
        with torch.device("meta"):
            built = model()
        assert (built.features.dim, built.width, built.rate) == (dim, 30, 100)
        assert (
            model.keywords["encoder"]
            == NETWORKS["resnet-small" if dim == 30 else "resnet-small-deltas"].model.keywords["encoder"]
        )


def test_a_class_without_options_is_known_as_stored_too():
    assert over_stored_of(present(Stored), NETWORKS["resnet-small"].model).keywords["features"] is Stored


def test_a_recipe_keeps_its_stored_features_when_its_network_is_named():
    recipe = smoke().with_options("model.features=Stored", "model.features.dim=23", "model=resnet-small-deltas")
    front = recipe.model.keywords["features"]
    assert front.func is Deltas
    assert (front.keywords["of"].func, front.keywords["of"].keywords) == (Stored, {"dim": 23})
    assert recipe.model.keywords["encoder"].keywords["channels"] == 3
    assert smoke().with_options("model=resnet-small").model is NETWORKS["resnet-small"].model
