"""Deferred constructors: a `functools.partial` of a class, shown as JSON, changed by name, rebuilt from JSON."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from voxsphere.core.errors import BadInput

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def describe(part: object) -> Json:
    """The complete JSON of a part: its class by name, and every option with its default spelled out.

    Options without a default that the part leaves open (`in_dim`) are asked of the neighbours when it is built, and
    are not shown.
    """
    if isinstance(part, partial):
        if part.args:
            raise TypeError(f"{part.func.__name__}: give options by keyword, so that they can be shown")
        options = {**_defaults(part.func), **part.keywords}
        return {"part": part.func.__name__, **{name: describe(value) for name, value in options.items()}}
    if isinstance(part, type):
        return describe(partial(part))
    if isinstance(part, Mapping):
        return {str(key): describe(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [describe(item) for item in part]
    if part is None or isinstance(part, bool | int | float | str):
        return part
    raise TypeError(f"{part!r} cannot be saved: an option is a number, a string, a sequence or a part")


def rebuild(description: Json, catalogue: Mapping[str, Callable[..., Any]]) -> Any:
    """The part that `describe` showed, its classes looked up in `catalogue`; an unknown name lists the known ones."""
    if isinstance(description, dict) and "part" in description:
        name = str(description["part"])
        if name not in catalogue:
            raise BadInput(f"no part named {name!r}{_nearest(name, catalogue)}")
        known = inspect.signature(catalogue[name]).parameters
        options = {key: rebuild(value, catalogue) for key, value in description.items() if key != "part"}
        for key in options:
            if key not in known:
                raise BadInput(f"{name} has no option {key!r}{_nearest(key, known)}")
        return partial(catalogue[name], **options)
    if isinstance(description, dict):
        return {key: rebuild(value, catalogue) for key, value in description.items()}
    if isinstance(description, list):
        return tuple(rebuild(item, catalogue) for item in description)
    return description


def _defaults(constructor: Callable[..., Any]) -> dict[str, object]:
    parameters = inspect.signature(constructor).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def _nearest(name: str, names: Iterable[str]) -> str:
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1)
    return (f"; did you mean {close[0]!r}?" if close else "") + f" There are: {', '.join(known)}"
