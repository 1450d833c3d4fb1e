"""Which part may stand where: the kinds that a part's options ask for, and what of them was left open."""

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Union, get_args, get_origin

from voxsphere.core.errors import BadInput


def check_parts(whole: object, catalogue: Mapping[str, Callable[..., Any]]) -> None:
    """See that each part within `whole` is of the kind its place asks for, and has the options it cannot do without.

    `BadInput` names the place, and the parts of the `catalogue` that fit there. A part that is not of the catalogue
    is somebody's own and may be of any kind.
    """
    _check(whole, "", catalogue)


def _check(part: object, name: str, catalogue: Mapping[str, Callable[..., Any]]) -> None:
    if isinstance(part, partial):
        constructor, given = part.func, part.keywords
    else:
        constructor, given = (part, {}) if isinstance(part, _CONSTRUCTORS) else (type(part), vars(part))
    options = _parameters(constructor)
    for option, parameter in options.items():
        value = given.get(option, parameter.default)
        for place, inside, annotation in _places(value, f"{name}.{option}".strip("."), parameter.annotation):
            _check_kind(inside, place, annotation, catalogue)
            _check_complete(inside, place, annotation, tuple(options))
            _check(inside, place, catalogue)


def _places(value: object, name: str, annotation: Any) -> Iterator[tuple[str, Any, Any]]:
    """The parts in an option: the place of each, the part, and what its place asks for."""
    inside = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        wanted = [one for one in inside if get_origin(one) in _DEFERRED]
        annotation = wanted[0] if len(wanted) == 1 else Any
    if isinstance(value, tuple | list):
        each = inside[0] if len(inside) == 2 and inside[1] is Ellipsis else Any
        for i, item in enumerate(value):
            yield from _places(item, f"{name}.{i}", each)
    elif isinstance(value, partial) or (isinstance(value, _CONSTRUCTORS) and get_origin(annotation) in _DEFERRED):
        yield name, value, annotation


def _check_kind(part: Any, name: str, annotation: Any, catalogue: Mapping[str, Callable[..., Any]]) -> None:
    constructor = part.func if isinstance(part, partial) else part
    kind = _kind(annotation)
    if kind is None or constructor not in catalogue.values() or is_of(constructor, kind):
        return
    fitting = sorted(title for title, made in catalogue.items() if is_of(made, kind))
    raise BadInput(f"{name}: {constructor.__name__} cannot stand there; there are: {', '.join(fitting)}")


def _check_complete(part: Any, name: str, annotation: Any, beside: tuple[str, ...]) -> None:
    """`BadInput` if an option has neither default nor value, and nobody will give it when the part is made."""
    constructor, given = (part.func, part.keywords) if isinstance(part, partial) else (part, {})
    alone = get_args(annotation)[:1] == ([],)
    open_ = [
        option
        for option, parameter in _parameters(constructor).items()
        if parameter.default is parameter.empty
        and option not in given
        # What is asked of the neighbours comes by position, or is an option of the whole (a sampler's batch_size).
        and (alone or (parameter.kind is parameter.KEYWORD_ONLY and option not in beside))
    ]
    if open_:
        raise BadInput(
            f"{name}: {constructor.__name__} cannot do without {' and '.join(open_)}; give "
            f"{'it' if len(open_) == 1 else 'them'}, as in --set {name}.{open_[0]}=…"
        )


def is_of(constructor: Callable[..., Any], kind: Any) -> bool:
    """Whether what a constructor makes is of a kind: a class, or a protocol, whose methods it has by name and by the
    names of their arguments.
    """
    made = constructor if isinstance(constructor, type) else inspect.signature(constructor).return_annotation
    if not isinstance(made, type):
        return False
    if not getattr(kind, "_is_protocol", False):
        return issubclass(made, kind)
    asked = {name: method for name, method in vars(kind).items() if inspect.isfunction(method)}
    return all(name in _BY_PROTOCOL or _alike(_method(made, name), method) for name, method in asked.items())


_CONSTRUCTORS = (type, types.FunctionType)
_DEFERRED = (Callable, partial)
_BY_PROTOCOL = ("__init__", "__subclasshook__")


def _kind(annotation: Any) -> Any:
    """What a deferred constructor is to make, None where that is not said."""
    if get_origin(annotation) not in _DEFERRED:
        return None
    kind = get_args(annotation)[-1]
    return kind if isinstance(kind, type) and kind is not object else None


def _method(made: type, name: str) -> Any:
    # torch's modules are called through `forward`.
    return getattr(made, "forward" if name == "__call__" and hasattr(made, "forward") else name, None)


def _alike(method: Any, asked: Any) -> bool:
    if not callable(method) or isinstance(method, type):
        return False
    own, wanted = inspect.signature(method), inspect.signature(asked)
    names = list(wanted.parameters)
    returned = {s.return_annotation for s in (own, wanted)}
    told = all(one in (bool, int, float, str) for one in returned)
    return list(own.parameters)[: len(names)] == names and not (told and len(returned) > 1)


def _parameters(constructor: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return {
        name: parameter
        for name, parameter in inspect.signature(constructor).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
