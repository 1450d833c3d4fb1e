"""The options of a recipe as rows: the name that `--set` takes, the value in words, and whether it is the default."""

import inspect
from dataclasses import dataclass

from voxsphere.core.parts import Json, describe
from voxsphere.train.parts import PARTS
from voxsphere.train.recipe import Recipe


@dataclass(frozen=True)
class Option:
    """One option. A part's own row holds its class; the rows of its options follow."""

    name: str
    value: str
    default: bool


def options_of(recipe: Json) -> list[Option]:
    """All options of a recipe's JSON, in its order. Of classes that are not the toolkit's no default is known."""
    assert isinstance(recipe, dict)
    known = _defaults("Recipe")
    told = {name: value for name, value in recipe.items() if name not in ("part", "format")}
    return [row for name, value in told.items() for row in _rows(name, value, known.get(name, _UNKNOWN))]


_UNKNOWN: Json = {"part": ""}
"""A default that no value equals."""


def _rows(name: str, value: Json, default: Json) -> list[Option]:
    if isinstance(value, dict) and "part" in value:
        part = str(value["part"])
        given = default if isinstance(default, dict) and default.get("part") == part else None
        # Where another part stands than by default, its options are measured against its own.
        inside = _defaults(part) if given is None else given
        return [
            Option(name, part, given is not None),
            *(
                row
                for option, told in value.items()
                if option != "part"
                for row in _rows(f"{name}.{option}", told, inside.get(option, _UNKNOWN))
            ),
        ]
    if isinstance(value, dict):
        return [row for key, told in value.items() for row in _rows(f"{name}.{key}", told, _UNKNOWN)]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [row for place, told in enumerate(value) for row in _rows(f"{name}.{place}", told, _UNKNOWN)]
    return [Option(name, _spoken(value), value == default)]


def _defaults(part: str) -> dict[str, Json]:
    """What the options of a part are if nobody sets them, as JSON."""
    constructor = Recipe if part == "Recipe" else PARTS.get(part)
    if constructor is None:
        return {}
    parameters = inspect.signature(constructor).parameters.values()
    return {p.name: describe(p.default) for p in parameters if p.default is not p.empty}


def _spoken(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", []):
        return "none"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return ", ".join(f"({_spoken(item)})" if isinstance(item, list) else _spoken(item) for item in value)
    return str(value)
