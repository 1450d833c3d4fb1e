"""Parts: shown, saved, rebuilt, and misspellings answered."""

from functools import partial

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import describe, rebuild


class Engine:
    def __init__(self, in_dim, *, power=3, fuel="tea"):
        self.in_dim, self.power, self.fuel = in_dim, power, fuel


class Car:
    def __init__(self, *, engine, wheels=(1, 2)):
        self.engine, self.wheels = engine(in_dim=7), wheels


CATALOGUE = {"Car": Car, "Engine": Engine}


def test_a_description_spells_out_defaults_and_leaves_what_neighbours_say():
    shown = describe(partial(Car, engine=partial(Engine, power=5)))
    assert shown == {"part": "Car", "wheels": [1, 2], "engine": {"part": "Engine", "power": 5, "fuel": "tea"}}


def test_a_rebuilt_part_is_the_same_part():
    part = partial(Car, engine=Engine, wheels=(4,))
    again = rebuild(describe(part), CATALOGUE)
    assert describe(again) == describe(part)
    assert (again().engine.power, again().wheels) == (3, (4,))


def test_misspellings_are_answered_with_the_names_that_exist():
    with pytest.raises(BadInput, match="did you mean 'Engine'"):
        rebuild({"part": "Engin"}, CATALOGUE)
    with pytest.raises(BadInput, match="no option 'pwer'; did you mean 'power'"):
        rebuild({"part": "Engine", "pwer": 2}, CATALOGUE)


def test_what_cannot_be_saved_is_refused_when_it_is_shown():
    with pytest.raises(TypeError, match="cannot be saved"):
        describe(partial(Engine, fuel=object()))
    with pytest.raises(TypeError, match="by keyword"):
        describe(partial(Engine, 3))
