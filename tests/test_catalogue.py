"""The catalogue is complete: no public network or front end is missing from it."""

import importlib
import inspect
import pkgutil
from types import ModuleType

from torch import nn

import voxsphere.audio
import voxsphere.models
from voxsphere.catalogue import CATALOGUE

BRICKS = "voxsphere.models.layers"  # parts of encoders, which no recipe names by themselves


def public_modules(package: ModuleType) -> set[type[nn.Module]]:
    """The classes that a package's files define and offer to others."""
    files = [
        importlib.import_module(f"{package.__name__}.{file.name}") for file in pkgutil.iter_modules(package.__path__)
    ]
    return {
        member
        for file in files
        for name, member in inspect.getmembers(file, inspect.isclass)
        if issubclass(member, nn.Module) and member.__module__ == file.__name__ and not name.startswith("_")
    }


def test_every_public_network_and_front_end_is_in_the_catalogue():
    found = public_modules(voxsphere.models) | public_modules(voxsphere.audio)
    assert {part for part in found if part.__module__ != BRICKS} == set(CATALOGUE.values())


def test_parts_are_listed_under_their_own_names():
    assert {name: part.__name__ for name, part in CATALOGUE.items()} == {name: name for name in CATALOGUE}
