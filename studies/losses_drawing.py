"""Slopes over an angle or a distance as small SVG files, in colours for light and dark pages."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 18, 26, 40
_STYLE = """
text { font: 11px system-ui, sans-serif; fill: #57606a } .grid { stroke: #d0d7de; fill: none }
.curve { fill: none; stroke-width: 2 } .pull { stroke: #1769aa } .push { stroke: #c4561a }
.plain { stroke: #8c959f; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) { text { fill: #9da7b1 } .grid { stroke: #3d444d }
.pull { stroke: #6cb2eb } .push { stroke: #f0925a } }
"""


@dataclass(frozen=True)
class Curve:
    """A gradient over what is varied: at each of `at`, how fast the loss rises (or falls, for a push)."""

    name: str
    kind: str
    at: list[float]
    values: list[float]


@dataclass(frozen=True)
class Picture:
    """Curves over one axis, and in words what is drawn."""

    curves: tuple[Curve, ...]
    across: str
    up: str
    said: str
    degrees: bool = True


def svg(drawn: Picture) -> str:
    """The picture as a file of its own."""
    parts = list(_frame(drawn)) + list(_curves(drawn))
    title = f"{drawn.up} over {drawn.across}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img"><title>{title}</title><style>{_STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _ends(drawn: Picture) -> tuple[float, float, float, float]:
    values = [value for curve in drawn.curves for value in curve.values]
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.06 * (high - low or 1.0)
    most = math.pi if drawn.degrees else max(at for curve in drawn.curves for at in curve.at)
    return most, low - (room if low < 0 else 0.0), high + room, 10.0 ** math.floor(math.log10(max(high, -low, 1e-9)))


def _x(drawn: Picture, value: float) -> float:
    return _LEFT + value / _ends(drawn)[0] * (WIDTH - _LEFT - _RIGHT)


def _y(drawn: Picture, value: float) -> float:
    _, low, high, _ = _ends(drawn)
    return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)


def _frame(drawn: Picture) -> Iterator[str]:
    most, low, high, power = _ends(drawn)
    bottom, top, end = HEIGHT - _BOTTOM, _TOP, WIDTH - _RIGHT
    marks = [(math.radians(d), f"{d}°") for d in (0, 45, 90, 135, 180)] if drawn.degrees else []
    marks = marks or [(most * part / 4, f"{most * part / 4:g}") for part in range(5)]
    for value, text in marks:
        yield f'<path class="grid" d="M{_x(drawn, value):.1f} {bottom}V{top}"/>'
        yield f'<text x="{_x(drawn, value):.1f}" y="{bottom + 14}" text-anchor="middle">{text}</text>'
    step = next(power * factor for factor in (0.2, 0.5, 1, 2, 5, 10) if (high - low) / (power * factor) <= 5)
    for count in range(math.ceil(low / step), math.floor(high / step) + 1):
        y = _y(drawn, count * step)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{end}"/>'
        yield f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{float(f"{count * step:.6g}"):g}</text>'
    yield f'<text x="{(_LEFT + end) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{drawn.across}</text>'
    yield f'<text transform="translate(11 {(bottom + top) / 2}) rotate(-90)" text-anchor="middle">{drawn.up}</text>'


def _curves(drawn: Picture) -> Iterator[str]:
    for place, curve in enumerate(drawn.curves):
        x = _LEFT + 140 * place
        yield f'<path class="curve {curve.kind}" d="M{x} 12h18"/><text x="{x + 23}" y="16">{curve.name}</text>'
        points = [
            f"{_x(drawn, at):.1f} {_y(drawn, value):.1f}" for at, value in zip(curve.at, curve.values, strict=True)
        ]
        yield f'<path class="curve {curve.kind}" d="M{"L".join(points)}"/>'
