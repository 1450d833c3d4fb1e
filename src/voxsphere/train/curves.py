"""Quantities over the steps of a training run as inline SVG, thinned to what a drawing can show."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from voxsphere.evaluate.page import Html, escape

WIDTH, HEIGHT = 420, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 14, 24, 44
MOST = 300
"""So many points of a curve are drawn at most; more could not be told apart."""

STYLE = """
svg .band { fill: var(--colour, var(--target)); fill-opacity: .16; stroke: none; }
svg .dot { fill: var(--colour, var(--target)); }
svg .chosen { fill: var(--good); fill-opacity: .13; stroke: none; }
svg .chosen-line { stroke: var(--good); stroke-width: 1.6; fill: none; }
"""
"""What the drawings need beside the page's own style."""


@dataclass(frozen=True)
class Curve:
    """One quantity: its value at each step that is known, in order. `kind` is its colour: target or nontarget."""

    name: str
    steps: Float64[np.ndarray, " points"]
    values: Float64[np.ndarray, " points"]
    kind: str = "target"


@dataclass(frozen=True)
class Thinned:
    """Each point stands for `size` neighbours: their mean, and the lowest and highest among them."""

    size: int
    steps: Float64[np.ndarray, " points"]
    mean: Float64[np.ndarray, " points"]
    low: Float64[np.ndarray, " points"]
    high: Float64[np.ndarray, " points"]


def thin(curve: Curve, most: int = MOST) -> Thinned:
    """The curve in `most` points at most, equally many values to each but the last; all of it where it is short."""
    size = _size(len(curve.values), most)
    first = np.arange(0, len(curve.values), size)
    if size == 1:
        return Thinned(1, curve.steps, curve.values, curve.values, curve.values)
    count = np.diff(np.append(first, len(curve.values)))
    return Thinned(
        size,
        np.add.reduceat(curve.steps, first) / count,
        np.add.reduceat(curve.values, first) / count,
        np.minimum.reduceat(curve.values, first),
        np.maximum.reduceat(curve.values, first),
    )


def chart(
    label: str,
    curves: Sequence[Curve],
    *,
    steps: int,
    shown: Callable[[float], str] = lambda value: f"{value:g}",
    from_zero: bool = False,
    chosen: tuple[int, int] | None = None,
    limit: tuple[float, str] | None = None,
) -> Html:
    """The curves over steps 0 to `steps`; `shown` writes the values of the vertical axis, which `label` names.

    The axis spans the curves as thinned (with 0, if `from_zero`); what goes beyond is cut off. `chosen` marks the
    first and the last step whose weights became the model, `limit` a value and its name as a dashed line. Curves of
    few points are drawn with dots, one of a single point as one.
    """
    thinned = [thin(curve) for curve in curves]
    axes = _Axes(max(1, steps), *_range([t.mean for t in thinned], from_zero=from_zero))
    drawn = []
    if limit is not None:
        line = f'<path class="guide" d="M{axes.x(0):.1f} {axes.y(limit[0]):.1f}H{axes.x(axes.steps):.1f}">'
        drawn.append(f"{line}<title>{escape(limit[1])}</title></path>")
    drawn += [_band(axes, curve, part) for curve, part in zip(curves, thinned, strict=True) if part.size > 1]
    drawn += [_line(axes, curve, part) for curve, part in zip(curves, thinned, strict=True)]
    marks = [] if chosen is None else [_chosen(axes, *chosen)]
    marks += [_dots(axes, curve, part, shown) for curve, part in zip(curves, thinned, strict=True)]
    if len(curves) > 1:
        marks += [_key(place, curve) for place, curve in enumerate(curves)]
    return _frame(axes, label, shown, drawn, marks)


def thinning(values: int) -> str:
    """How a curve of so many values is thinned, in words; "" where every one is drawn."""
    if (size := _size(values, MOST)) == 1:
        return ""
    return (
        f"each point is the mean of {size:,} lines of the logbook, and the shade reaches from their lowest to highest"
    )


def short(number: float) -> str:
    """A count in few letters: 950, 20k, 1.5M."""
    if number >= 1e6:
        return f"{number / 1e6:g}M"
    return f"{number / 1e3:g}k" if number >= 1e4 else f"{number:g}"


def _size(values: int, most: int) -> int:
    return max(1, math.ceil(values / most))


@dataclass(frozen=True)
class _Axes:
    """Steps and values to SVG coordinates."""

    steps: float
    low: float
    high: float

    def x(self, step: float) -> float:
        return _LEFT + step / self.steps * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - _TOP - _BOTTOM)

    def points(self, steps: Float64[np.ndarray, " points"], values: Float64[np.ndarray, " points"]) -> str:
        # What is far beyond the axes is cut off in any case, and huge coordinates are not drawn well.
        span = self.high - self.low
        inside = np.clip(values, self.low - span, self.high + span)
        return "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in zip(steps, inside, strict=True))


def _range(values: Sequence[Float64[np.ndarray, " points"]], *, from_zero: bool) -> tuple[float, float]:
    low, high = (float(found) for found in (min(v.min() for v in values), max(v.max() for v in values)))
    if from_zero:
        low, high = min(0.0, low), max(0.0, high)
    size = max(abs(low), abs(high))
    if size < 1e-100:
        return 0.0, 1.0
    if high - low < 1e-9 * size:  # an even line lies in the middle
        return low - 0.5 * size, high + 0.5 * size
    room = 0.06 * (high - low)
    return (low if low == 0 else low - room), high + room


def _line(axes: _Axes, curve: Curve, part: Thinned) -> str:
    return f'<path class="curve {curve.kind}" d="M{axes.points(part.steps, part.mean)}"/>'


def _band(axes: _Axes, curve: Curve, part: Thinned) -> str:
    there, back = axes.points(part.steps, part.high), axes.points(part.steps[::-1], part.low[::-1])
    return f'<path class="band {curve.kind}" d="M{there}L{back}Z"/>'


def _dots(axes: _Axes, curve: Curve, part: Thinned, shown: Callable[[float], str]) -> str:
    if len(part.mean) > 40:
        return ""
    return "".join(
        f'<circle class="dot {curve.kind}" cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="2.6">'
        f"<title>{escape(curve.name)} {escape(shown(float(y)))} at step {x:,.0f}</title></circle>"
        for x, y in zip(part.steps, part.mean, strict=True)
    )


def _chosen(axes: _Axes, first: int, last: int) -> str:
    left, right, top, bottom = axes.x(first), axes.x(last), axes.y(axes.high), axes.y(axes.low)
    if first == last:
        return f'<path class="chosen-line" d="M{right:.1f} {top:.1f}V{bottom:.1f}"/>'
    return (
        f'<rect class="chosen" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"/>'
        f'<path class="chosen-line" d="M{left:.1f} {top:.1f}V{bottom:.1f}M{right:.1f} {top:.1f}V{bottom:.1f}"/>'
    )


def _key(place: int, curve: Curve) -> str:
    # Above the curves, which may be anywhere below.
    x = _LEFT + 4 + 100 * place
    return (
        f'<rect class="key {curve.kind}" x="{x}" y="5" width="11" height="11" rx="2"/>'
        f'<text x="{x + 17}" y="15">{escape(curve.name)}</text>'
    )


def _frame(axes: _Axes, label: str, shown: Callable[[float], str], drawn: Sequence[str], marks: Sequence[str]) -> Html:
    """The whole drawing: grid, ticks, labels, what is drawn, cut off at the axes, and marks, which are not."""
    start, end, top, bottom = axes.x(0), axes.x(axes.steps), axes.y(axes.high), axes.y(axes.low)
    parts = []
    for value in _ticks(0, axes.steps, 5, least=1.0):
        x = axes.x(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {bottom:.1f}V{top:.1f}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{short(value)}</text>')
    for value in _ticks(axes.low, axes.high, 6):
        y = axes.y(value)
        parts.append(f'<path class="grid" d="M{start:.1f} {y:.1f}H{end:.1f}"/>')
        parts.append(f'<text x="{start - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{escape(shown(value))}</text>')
    # SVG names are the page's, so that two drawings of one page must not share one.
    clip = "inside-" + "".join(letter if letter.isalnum() else "-" for letter in label)
    parts.append(
        f'<clipPath id="{clip}"><rect x="{start:.1f}" y="{top:.1f}" width="{end - start:.1f}" '
        f'height="{bottom - top:.1f}"/></clipPath><g clip-path="url(#{clip})">{"".join(drawn)}</g>'
        f'<path class="axis" d="M{start:.1f} {top:.1f}V{bottom:.1f}H{end:.1f}"/>{"".join(marks)}'
        f'<text class="label" x="{(start + end) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">step</text>'
        f'<text class="label" transform="translate(13 {(bottom + top) / 2:.1f}) rotate(-90)" text-anchor="middle">'
        f"{escape(label)}</text>"
    )
    title = escape(f"{label} over steps")
    return Html(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title>{"".join(parts)}</svg>')


def _ticks(low: float, high: float, count: int, least: float = 0.0) -> list[float]:
    """So many ticks or a few more, at round numbers (1, 2 or 5 times a power of ten), at least `least` apart."""
    rough = max((high - low) / count, least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]
