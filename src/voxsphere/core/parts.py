"""Deferred constructors: a `functools.partial` of a class, shown as JSON, changed by name, rebuilt from JSON."""

import difflib
import inspect
import json
import math
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any, Literal, Union, get_args, get_origin

from voxsphere.core.errors import BadInput

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def describe(part: object) -> Json:
    """The complete JSON of a part: its class by name, and every option with its default spelled out.

    A frozen dataclass is shown as the deferred constructor that would make it.

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
    if is_dataclass(part):
        options = {field.name: getattr(part, field.name) for field in fields(part)}
        return {"part": type(part).__name__, **{name: describe(value) for name, value in options.items()}}
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
            raise BadInput(f"no part named {name!r}{nearest(name, catalogue)}")
        known = inspect.signature(catalogue[name]).parameters
        options = {key: rebuild(value, catalogue) for key, value in description.items() if key != "part"}
        for key, value in options.items():
            if key not in known:
                raise BadInput(f"{name} has no option {key!r}{nearest(key, known)}")
            if not _fits(value, known[key].annotation):
                raise BadInput(f"{name}.{key}: takes {_spoken(known[key].annotation)}, not {_written(value)}")
        return partial(catalogue[name], **options)
    if isinstance(description, dict):
        return {key: rebuild(value, catalogue) for key, value in description.items()}
    if isinstance(description, list):
        return tuple(rebuild(item, catalogue) for item in description)
    return description


def chosen(description: Json, catalogue: Mapping[str, Callable[..., Any]]) -> Json:
    """The description without the options that are at their class's default.

    It stays the same when a class gains an option, so it can stand for a model where `describe`'s cannot.
    """
    if isinstance(description, dict):
        made = catalogue.get(str(description.get("part")))
        usual = {} if made is None else {key: describe(value) for key, value in _defaults(made).items()}
        kept = {key: value for key, value in description.items() if key not in usual or usual[key] != value}
        return {key: chosen(value, catalogue) for key, value in kept.items()}
    return [chosen(item, catalogue) for item in description] if isinstance(description, list) else description


def classes_of(part: object) -> dict[str, Callable[..., Any]]:
    """The classes and functions that a part names, by name: what `rebuild` needs besides a catalogue for one's own."""
    if isinstance(part, partial):
        own = {part.func.__name__: part.func}
        return own | {name: made for value in part.keywords.values() for name, made in classes_of(value).items()}
    if isinstance(part, type):
        return {part.__name__: part}
    if isinstance(part, list | tuple):
        return {name: made for value in part for name, made in classes_of(value).items()}
    return {}


def override(part: Any, name: str, text: str, catalogue: Mapping[str, Callable[..., Any]]) -> Any:
    """A copy of `part` with one option changed: `override(recipe, "model.encoder.width", "1024", CATALOGUE)`.

    `name` leads from option to option (a number counts within a sequence). `text` is read as JSON where it is JSON,
    else as it stands; where a part is expected it may name one of the `catalogue`. `BadInput` lists the names that
    exist, or says what kind of value the option takes.
    """
    return _override(part, name.split("."), text, name, catalogue)


def _override(part: Any, steps: list[str], text: str, name: str, catalogue: Mapping[str, Callable[..., Any]]) -> Any:
    if isinstance(part, type):
        part = partial(part)
    step, rest = steps[0], steps[1:]
    options = _options(part)
    if step not in options:
        kind = "takes no options" if not options else f"has no option {step!r}{nearest(step, options)}"
        raise BadInput(f"{name}: {_title(part)} {kind}")
    if rest:
        value = _override(options[step], rest, text, name, catalogue)
    else:
        annotation, current = _annotation(part, step), options[step]
        if current is inspect.Parameter.empty and not _is_callable(annotation):
            current = None  # not given yet, and no part: what looks like a name of one is none
        value = _parsed(text, current, name, catalogue)
        if not _fits(value, annotation) and _fits(text, annotation):
            value = text  # a name may look like a number
        if type(value) is int and not _takes_int(annotation):
            value = float(value)  # 5 and 5.0 are one option, and are to make one recipe
        if not _fits(value, annotation):
            raise BadInput(f"{name}: takes {_spoken(annotation)}, not {text!r}")
    if isinstance(part, partial):
        return partial(part.func, **{**part.keywords, step: value})
    if isinstance(part, list | tuple):
        return tuple(value if i == int(step) else item for i, item in enumerate(part))
    if isinstance(part, Mapping):
        return {**part, step: value}
    return replace(part, **{step: value})


def _options(part: Any) -> dict[str, Any]:
    if isinstance(part, partial):
        # What has no default and is not given is asked of the neighbours when the part is built.
        parameters = inspect.signature(part.func).parameters.values()
        known = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY or p.default is not p.empty}
        return {**known, **part.keywords}
    if isinstance(part, list | tuple):
        return {str(i): item for i, item in enumerate(part)}
    if isinstance(part, Mapping):
        return {str(key): value for key, value in part.items()}
    if is_dataclass(part) and not isinstance(part, type):
        return {field.name: getattr(part, field.name) for field in fields(part)}
    return {}


def _parsed(text: str, current: Any, name: str, catalogue: Mapping[str, Callable[..., Any]]) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    if isinstance(value, str) and (value in catalogue or isinstance(current, partial | type)):
        value = {"part": value}
    try:
        return rebuild(value, catalogue)
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error


def _annotation(part: Any, step: str) -> Any:
    owner = part.func if isinstance(part, partial) else type(part)
    if isinstance(part, list | tuple | Mapping):
        return Any
    return inspect.signature(owner).parameters[step].annotation


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a value is of the kind an option asks for; what cannot be told is taken."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inside)
    if origin is Literal:
        return value in inside
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = inside[:1] * len(value) if len(inside) == 2 and inside[1] is Ellipsis else inside
        return len(kinds) == len(value) and all(_fits(*pair) for pair in zip(value, kinds, strict=True))
    if annotation is None or annotation is types.NoneType:
        return value is None
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation in (bool, str):
        return isinstance(value, annotation)
    return not _is_callable(annotation) or callable(value)


def _takes_int(annotation: Any) -> bool:
    """Whether a whole number stays one; where only a float is asked for, it becomes one."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return float not in kinds or int in kinds


def _is_callable(annotation: Any) -> bool:
    return annotation is Callable or get_origin(annotation) in (Callable, types.FunctionType, partial)


def _spoken(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_spoken(one) for one in inside)
    if origin is Literal:
        return " or ".join(repr(one) for one in inside)
    if origin is tuple:
        return f"a list [{', '.join(_spoken_inside(one) for one in inside)}]"
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text", types.NoneType: "null"}
    return words.get(annotation, "a part")


def _spoken_inside(annotation: Any) -> str:
    if annotation is Ellipsis:
        return "…"
    return '{"part": "NAME"}' if _is_callable(annotation) else _spoken(annotation)


def _title(part: Any) -> str:
    if isinstance(part, partial):
        return str(part.func.__name__)
    if isinstance(part, list | tuple):
        return f"a list of {len(part)}"
    return type(part).__name__ if is_dataclass(part) else repr(part)


def _written(value: Any) -> str:
    return _title(value) if isinstance(value, partial | list | tuple) else json.dumps(value)


def _defaults(constructor: Callable[..., Any]) -> dict[str, object]:
    parameters = inspect.signature(constructor).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def nearest(name: str, names: Iterable[str]) -> str:
    """How an error goes on after an unknown name: with the most alike of the known ones, and with all of them."""
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1)
    return f"; {f'did you mean {close[0]!r}? ' if close else ''}there are: {', '.join(known)}"
