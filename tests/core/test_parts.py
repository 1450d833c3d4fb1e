"""Parts: shown, saved, rebuilt, and misspellings answered."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxsphere.core.errors import BadInput
from voxsphere.core.parts import chosen, describe, override, rebuild


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


def test_what_is_chosen_stays_the_same_when_a_class_gains_an_option():
    class Hybrid(Engine):
        def __init__(self, in_dim, *, power=3, fuel="tea", plug=None):
            super().__init__(in_dim, power=power, fuel=fuel)

    shown = {"part": "Car", "wheels": [1, 2], "engine": {"part": "Engine", "power": 5, "fuel": "tea"}}
    longer = {**shown, "engine": {**shown["engine"], "plug": None}}
    kept = {"part": "Car", "engine": {"part": "Engine", "power": 5}}
    assert chosen(shown, CATALOGUE) == chosen(longer, {**CATALOGUE, "Engine": Hybrid}) == kept
    assert chosen(longer, CATALOGUE) != kept  # an option that nobody knows is no default
    assert chosen({**shown, "wheels": [4]}, CATALOGUE) == {**kept, "wheels": [4]}


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


class Spare:
    def __init__(self, *, size: float = 1.0):
        self.size = size


@dataclass(frozen=True)
class Wheel:
    size: float = 0.5
    spokes: int = 32


class Bus:
    """Has an option of every kind."""

    def __init__(
        self,
        *,
        name: str = "bus",
        seats: int = 50,
        weight: float = 8.0,
        limit: float | None = None,
        electric: bool = False,
        colour: Literal["red", "green"] = "red",
        crates: tuple[float, float] = (1.0, 2.0),
        stops: tuple[str, ...] = (),
        spare: Callable[[], Spare] | None = None,
        parts: tuple[Callable[..., object], ...] = (Engine,),
        wheel: Callable[..., Wheel] = Wheel,
        load: float | tuple[float, float] = 1.0,
        untold=None,
    ):
        self.seats = seats


FLEET = CATALOGUE | {"Bus": Bus, "Spare": Spare, "Wheel": Wheel}


def changed(setting: str, part: object = Bus) -> object:
    name, _, text = setting.partition("=")
    return describe(override(part, name, text, FLEET))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("name=tram", "tram"),
        ("name=12", "12"),
        ("name=true", "true"),
        ("name=Engine", "Engine"),
        ("name=", ""),
        ("seats=60", 60),
        ("weight=9", 9.0),
        ("weight=1e3", 1000.0),
        ("limit=80", 80.0),
        ("limit=null", None),
        ("electric=true", True),
        ("colour=green", "green"),
        ("crates=[3, 4.5]", [3, 4.5]),
        ("stops=[]", []),
        ('stops=["a", "b"]', ["a", "b"]),
        ("spare=Spare", {"part": "Spare", "size": 1.0}),
        ("spare=null", None),
        ('spare={"part": "Spare", "size": 2}', {"part": "Spare", "size": 2}),
        ("wheel=Engine", {"part": "Engine", "power": 3, "fuel": "tea"}),
        ("load=2", 2.0),
        ("load=[1, 2]", [1, 2]),
        ("untold=7", 7),
        ("untold=seven", "seven"),
    ],
)
def test_every_kind_of_option_is_set_by_its_name(setting, value):
    option = setting.partition("=")[0]
    found, before = changed(setting), describe(Bus)
    assert found[option] == value
    assert type(found[option]) is type(value)
    assert {**found, option: None} == {**before, option: None}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("wheel.spokes=8", {"part": "Wheel", "size": 0.5, "spokes": 8}),
        ("wheel.size=1", {"part": "Wheel", "size": 1.0, "spokes": 32}),
    ],
)
def test_an_option_of_a_part_within_a_part_is_set(setting, value):
    assert changed(setting)["wheel"] == value


def test_a_text_that_must_be_given_is_no_name_of_a_part():
    class Letter:
        def __init__(self, *, address: str):
            self.address = address

    assert override(partial(Letter), "address", "Engine Road", CATALOGUE)().address == "Engine Road"


def test_a_number_leads_into_a_sequence_of_parts():
    assert changed("parts.0.power=9")["parts"] == [{"part": "Engine", "power": 9, "fuel": "tea"}]
    assert changed("parts.0=Spare")["parts"] == [{"part": "Spare", "size": 1.0}]
    assert changed("crates.1=7")["crates"] == [1.0, 7]


def test_an_option_of_a_finished_part_is_set():
    assert override(Wheel(spokes=4), "size", "2", FLEET) == Wheel(size=2.0, spokes=4)


def test_whole_numbers_and_fractions_of_one_size_make_one_recipe():
    assert json.dumps(changed("weight=9")) == json.dumps(changed("weight=9.0"))
    assert json.dumps(changed("limit=9")) == json.dumps(changed("limit=9.0"))


def test_what_is_set_does_not_change_the_part_it_was_set_in():
    part = partial(Bus, seats=10)
    override(part, "seats", "20", FLEET)
    override(part, "wheel.spokes", "3", FLEET)
    assert describe(part) == describe(partial(Bus, seats=10))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("seat=3", "seat: Bus has no option 'seat'; did you mean 'seats'? there are: colour, crates, "),
        ("wheel.spoke=3", "wheel.spoke: Wheel has no option 'spoke'; did you mean 'spokes'? there are: size, spokes"),
        ("seats.x=3", "seats.x: 50 takes no options"),
        ("spare.size=3", "spare.size: None takes no options"),
        ("parts.3=Engine", "parts.3: a list of 1 has no option '3'; there are: 0"),
        ("seats=many", "seats: takes a whole number, not 'many'"),
        ("seats=1.5", "seats: takes a whole number, not '1.5'"),
        ("seats=true", "seats: takes a whole number, not 'true'"),
        ("seats=null", "seats: takes a whole number, not 'null'"),
        ("seats=", "seats: takes a whole number, not ''"),
        ("weight=heavy", "weight: takes a number, not 'heavy'"),
        ("weight=NaN", "weight: takes a number, not 'NaN'"),
        ("weight=1e999", "weight: takes a number, not '1e999'"),
        ("limit=none", "limit: takes a number or null, not 'none'"),
        ("electric=yes", "electric: takes true or false, not 'yes'"),
        ("electric=1", "electric: takes true or false, not '1'"),
        ("colour=blue", "colour: takes 'red' or 'green', not 'blue'"),
        ("crates=[1]", "crates: takes a list [a number, a number], not '[1]'"),
        ("crates=1", "crates: takes a list [a number, a number], not '1'"),
        ("stops=[1]", "stops: takes a list [text, …], not '[1]'"),
        ("spare=3", "spare: takes a part or null, not '3'"),
        ("wheel=Whel", "wheel: no part named 'Whel'; did you mean 'Wheel'?"),
        ("wheel=null", "wheel: takes a part, not 'null'"),
        ('wheel={"part": "Wheel", "spoks": 3}', "wheel: Wheel has no option 'spoks'; did you mean 'spokes'?"),
        ('wheel={"part": "Wheel", "spokes": "x"}', 'wheel: Wheel.spokes: takes a whole number, not "x"'),
        ("=3", "Bus has no option ''"),
        ("wheel.=3", "wheel.: Wheel has no option ''"),
    ],
)
def test_what_cannot_be_set_is_told_in_one_line(setting, told):
    with pytest.raises(BadInput) as refused:
        changed(setting)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "functools" not in str(refused.value)


def test_a_saved_value_of_a_wrong_kind_is_told_with_its_part():
    with pytest.raises(BadInput, match=r'Bus\.seats: takes a whole number, not "many"'):
        rebuild({"part": "Bus", "seats": "many"}, FLEET)
    with pytest.raises(BadInput, match=r"Bus\.stops: takes a list \[text, …\], not a list of 2"):
        rebuild({"part": "Bus", "stops": [1, 2]}, FLEET)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.text())
def test_what_was_described_is_set_again_by_its_own_json(weight, seats, name):
    part = partial(Bus, weight=weight, seats=seats, name=name)
    told = describe(part)
    for option in ("weight", "seats", "limit", "electric", "crates", "stops", "spare", "wheel"):
        assert describe(override(part, option, json.dumps(told[option]), FLEET)) == told
    assert describe(rebuild(json.loads(json.dumps(told)), FLEET)) == told
