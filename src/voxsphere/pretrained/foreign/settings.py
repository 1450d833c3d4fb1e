"""Other projects' configuration files, as plain data."""

import re
import reprlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput, one_line
from voxsphere.core.files import read_text

CLASS = "!"
"""The key under which a YAML node's own tag stands, such as `new:torch.nn.Linear`; nothing of that name is built."""


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as dictionaries, lists, strings and numbers; a tag of the project's own becomes an entry `CLASS`.

    Nothing that a tag names is imported or run. `BadInput` tells the line that cannot be read.
    """
    try:
        import yaml
    except ImportError:
        raise BadInput(f"{path}: reading it needs PyYAML: pip install 'voxsphere[import]'") from None
    text = read_text(path)
    try:
        content = yaml.load(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise BadInput(f"{path}: line {line} is not YAML ({error.problem})") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadInput(f"{path}: is not YAML ({one_line(error)})") from error
    if not isinstance(content, dict):
        raise BadInput(f"{path}: names with values are expected; is it the right file?")
    return content


@cache
def _loader() -> Any:
    import yaml

    def plain(loader: Any, tag: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return {CLASS: tag, **loader.construct_mapping(node, deep=True)}
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return node.value or {CLASS: tag}

    loader: Any = type("PlainLoader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", plain)
    return loader


def section(content: Mapping[str, Any], name: str, where: Path) -> dict[str, Any]:
    """A named part of a configuration, its references `<other>` replaced by what they stand for."""
    try:
        found = _resolved(content.get(name), content, (), iter(range(_MOST)))
    except RecursionError:
        raise BadInput(f"{where}: {name} contains itself, or is nested too deep; write it out") from None
    except _TooMuch:
        raise BadInput(f"{where}: {name} has more than {_MOST} values, which no network has; write it out") from None
    if not isinstance(found, dict):
        raise BadInput(f"{where}: has no section {name!r}; is it the right file?")
    return found


_MOST = 10_000  # a file of a few lines can name billions of values by its anchors


class _TooMuch(Exception):
    """A section has more values than can be meant."""


def _resolved(value: Any, content: Mapping[str, Any], seen: tuple[str, ...], left: Iterator[int]) -> Any:
    """The value with what it refers to; each value within it takes one from `left`."""
    if next(left, None) is None:
        raise _TooMuch
    if isinstance(value, dict):
        return {key: _resolved(inner, content, seen, left) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, content, seen, left) for inner in value]
    named = re.fullmatch(r"<(\w+)>", value) if isinstance(value, str) else None
    if named and named[1] in content and named[1] not in seen:
        return _resolved(content[named[1]], content, (*seen, named[1]), left)
    return value


def word(value: Any) -> str:
    """A value as a configuration gives it, on one short line."""
    text = value if isinstance(value, str) else _short.repr(value)
    return " ".join(text.split())[:100]


class _Short(reprlib.Repr):
    def repr_int(self, value: int, level: int) -> str:
        """Python refuses to write out the longest numbers."""
        return super().repr_int(value, level) if abs(value) < 10**100 else "a number of hundreds of digits"


_short = _Short()
_short.maxstring = _short.maxother = 100
_LARGEST = 1_000_000


class Options:
    """A network's options as another project's configuration gives them: each is asked for, and none may be left."""

    def __init__(self, values: Any, where: str) -> None:
        """The `values` of a configuration, which may be None; `BadInput` where they have no names."""
        values = {} if values is None else values
        if not isinstance(values, Mapping):
            raise BadInput(f"{where}: names with values are expected, not {_short.repr(values)}")
        self.left, self.where = {str(name): value for name, value in values.items()}, where
        self.asked: list[str] = []

    def take(self, name: str, default: Any) -> Any:
        """The option's value, whatever it is."""
        self.asked.append(name)
        return self.left.pop(name, default)

    def size(self, name: str, default: int) -> int:
        """A whole number from 1."""
        value = self.take(name, default)
        if type(value) is not int or not 1 <= value <= _LARGEST:
            raise BadInput(f"{self.where}: {name} is a whole number from 1 to {_LARGEST}, not {_short.repr(value)}")
        return value

    def sizes(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Whole numbers from 1, as many as there are in `default`."""
        value = self.take(name, default)
        right = isinstance(value, list | tuple) and all(type(size) is int and 1 <= size <= _LARGEST for size in value)
        if not right or len(value) != len(default):
            raise BadInput(
                f"{self.where}: {name} are {len(default)} whole numbers from 1 to {_LARGEST}, not {_short.repr(value)}"
            )
        return tuple(value)

    def choice(self, name: str, default: Any, choices: tuple[Any, ...]) -> Any:
        """One of the values that voxsphere can compute."""
        value = self.take(name, default)
        if value not in choices or isinstance(value, bool) != isinstance(default, bool):
            told = ", ".join(map(str, choices))
            raise BadInput(f"{self.where}: {name} is {_short.repr(value)}, which cannot be imported; there are: {told}")
        return value

    def number(self, name: str, default: float) -> float:
        """A number above 0."""
        value = self.least(name, default)
        if value == 0:
            raise BadInput(f"{self.where}: {name} is a number above 0, not 0")
        return value

    def least(self, name: str, default: float) -> float:
        """A number from 0."""
        value = self.take(name, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
            raise BadInput(f"{self.where}: {name} is a number from 0 to {_LARGEST}, not {_short.repr(value)}")
        return float(value)

    def ignore(self, *names: str) -> None:
        """Pass by options that change no embedding."""
        for name in names:
            self.take(name, None)

    def finish(self) -> None:
        """Refuse options that nobody has asked for: they might change the embedding."""
        if self.left:
            known = ", ".join(name for name in dict.fromkeys(self.asked) if name != CLASS)
            raise BadInput(f"{self.where}: no option {word(next(iter(self.left)))!r} is known; there are: {known}")
