"""The catalogue is complete: no public network, front end, loss or augmentation is missing from it."""

import importlib
import inspect
import pkgutil
from types import ModuleType

from torch import nn

import voxsphere.audio
import voxsphere.losses
import voxsphere.models
from voxsphere.catalogue import CATALOGUE

# Parts of encoders, poolings and losses, and what all poolings or heads do, which no recipe names by themselves.
BRICKS = (
    "voxsphere.losses.head_wrapper",
    "voxsphere.losses.scaled_cosine",
    "voxsphere.losses.scheduled_margin",
    "voxsphere.losses.softmax_head",
    "voxsphere.models.layers",
    "voxsphere.models.poolings.attention",
    "voxsphere.models.poolings.weights",
)
CONTRACT = "voxsphere.audio.augment.contract"  # what augmentations keep to, none itself


def public_parts(package: ModuleType) -> set[type]:
    """The modules and augmentations that a package's files define and offer to others."""
    files = [
        importlib.import_module(file.name) for file in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return {
        member
        for file in files
        for name, member in inspect.getmembers(file, inspect.isclass)
        if (issubclass(member, nn.Module) or hasattr(member, "draw"))
        and member.__module__ == file.__name__
        and not name.startswith("_")
    }


def test_every_public_part_is_in_the_catalogue():
    rooms = (voxsphere.models, voxsphere.audio, voxsphere.losses)
    offered = {part for room in rooms for part in public_parts(room)}
    found = {part for part in offered if not part.__module__.startswith(BRICKS) and part.__module__ != CONTRACT}
    assert found == set(CATALOGUE.values())


def test_parts_are_listed_under_their_own_names():
    assert {name: part.__name__ for name, part in CATALOGUE.items()} == {name: name for name in CATALOGUE}
