"""Plots of scores as inline SVG: DET curve, histograms, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import logit
from scipy.stats import norm

from voxsphere.evaluate.page import Html, escape
from voxsphere.metrics.detection import Ranking, det_points, eer_of, error_rates_of, min_dcf_point
from voxsphere.metrics.likelihood import pav

WIDTH, HEIGHT = 420, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 18, 14, 46
_DET_TICKS = (1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98)


@dataclass(frozen=True)
class _Axes:
    """A drawing area: data coordinates to SVG coordinates."""

    left: float
    right: float
    bottom: float
    top: float

    def x(self, value: float) -> float:
        return _LEFT + (value - self.left) / (self.right - self.left) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (value - self.bottom) / (self.top - self.bottom) * (HEIGHT - _TOP - _BOTTOM)

    def path(self, xs: Sequence[float] | np.ndarray, ys: Sequence[float] | np.ndarray) -> str:
        """Path data through the points; points that fall on the same spot of the drawing are drawn once."""
        points: list[str] = []
        for x, y in zip(xs, ys, strict=True):
            point = f"{self.x(float(x)):.1f} {self.y(float(y)):.1f}"
            if not points or point != points[-1]:
                points.append(point)
        return "M" + "L".join(points)

    def frame(
        self,
        name: str,
        x_label: str,
        y_label: str,
        x_ticks: Sequence[tuple[float, str]],
        y_ticks: Sequence[tuple[float, str]],
        drawn: Sequence[str],
        marks: Sequence[str] = (),
    ) -> Html:
        """The whole drawing: grid, ticks, labels, what is drawn, clipped to the axes, and marks, which are not."""
        low, high, start, end = self.y(self.bottom), self.y(self.top), self.x(self.left), self.x(self.right)
        parts = []
        for value, text in x_ticks:
            parts.append(f'<path class="grid" d="M{self.x(value):.1f} {low:.1f}V{high:.1f}"/>')
            parts.append(f'<text x="{self.x(value):.1f}" y="{low + 16:.1f}" text-anchor="middle">{text}</text>')
        for value, text in y_ticks:
            parts.append(f'<path class="grid" d="M{start:.1f} {self.y(value):.1f}H{end:.1f}"/>')
            parts.append(f'<text x="{start - 6:.1f}" y="{self.y(value) + 4:.1f}" text-anchor="end">{text}</text>')
        clip = f"{name}-inside"
        parts.append(
            f'<clipPath id="{clip}"><rect x="{start:.1f}" y="{high:.1f}" width="{end - start:.1f}" '
            f'height="{low - high:.1f}"/></clipPath><g clip-path="url(#{clip})">{"".join(drawn)}</g>'
            f'<path class="axis" d="M{start:.1f} {high:.1f}V{low:.1f}H{end:.1f}"/>'
            f'<text class="label" x="{(start + end) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
            f"{escape(x_label)}</text>"
            f'<text class="label" transform="translate(13 {(low + high) / 2:.1f}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_label)}</text>{''.join(marks)}"
        )
        title = escape(f"{y_label} over {x_label}")
        inside = "".join(parts)
        return Html(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title>{inside}</svg>')


def det_plot(ranking: Ranking, priors: Sequence[float], *, name: str = "det") -> Html:
    """The DET curve on normal-deviate axes, with the EER (diamond) and the minDCF points (circles) of the priors.

    `name` is the drawing's own, where a page holds several.
    """
    curve = error_rates_of(ranking.tally())
    points = det_points(curve, least=1e-9)
    equal = eer_of(curve)
    # Down to where single trials can be told apart, up to 40 % or beyond a bad system's EER.
    least = [max(min(0.5 / count, 0.01), 1e-5) for count in (len(ranking.nontarget), len(ranking.target))]
    most = next((tick for tick in _DET_TICKS if tick >= 0.4 and tick > 1.3 * equal), _DET_TICKS[-1])
    axes = _Axes(*(float(norm.ppf(rate)) for rate in (least[0], most, least[1], most)))
    ticks = [
        [(float(norm.ppf(tick)), f"{100 * tick:g} %") for tick in _DET_TICKS if low <= tick <= most] for low in least
    ]
    corner = float(norm.ppf(max(least))), float(norm.ppf(most))
    drawn = [
        f'<path class="guide" d="{axes.path(corner, corner)}"/>',
        f'<path class="curve target" d="{axes.path(*points)}"/>',
    ]
    marks = []
    for prior in priors:
        place = min_dcf_point(curve, p_target=prior)
        x, y = (_inside(side[place], *ends) for side, ends in zip(points, _ends(axes), strict=True))
        marks.append(_circle(axes, x, y, f"minDCF at p = {prior:g}"))
    if equal > max(least):
        x, y = axes.x(float(norm.ppf(equal))), axes.y(float(norm.ppf(equal)))
        shape = f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6Z"
        marks.append(f'<path class="mark" d="{shape}"><title>EER {100 * equal:.2f} %</title></path>')
    return axes.frame(name, "false alarms", "misses", ticks[0], ticks[1], drawn, marks)


def histogram(
    target: Float64[np.ndarray, " targets"],
    nontarget: Float64[np.ndarray, " nontargets"],
    scale: str,
    thresholds: Sequence[tuple[float, str]],
) -> Html:
    """Densities of both classes over the score, each of area 1, with thresholds as dashed lines."""
    lowest, highest = min(target.min(), nontarget.min()), max(target.max(), nontarget.max())
    if lowest == highest:
        lowest, highest = lowest - 1, highest + 1
    edges = np.linspace(lowest, highest, 61)
    counts = [np.histogram(side, edges)[0] for side in (target, nontarget)]
    return counted(edges, counts[0], counts[1], f"score ({scale})", thresholds)


def counted(
    edges: Float64[np.ndarray, " edges"],
    target: Int64[np.ndarray, " bins"],
    nontarget: Int64[np.ndarray, " bins"],
    label: str,
    thresholds: Sequence[tuple[float, str]] = (),
    *,
    name: str = "histogram",
) -> Html:
    """The same of counts in bins of one width; `name` is the drawing's own, where a page holds several."""
    density = [side / side.sum() / (edges[1] - edges[0]) for side in (nontarget, target)]
    axes = _Axes(float(edges[0]), float(edges[-1]), 0.0, float(max(side.max() for side in density)) * 1.08)
    drawn = []
    for kind, heights in zip(("nontarget", "target"), density, strict=True):
        steps = np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
        drawn.append(f'<path class="area {kind}" d="{axes.path(*steps)}Z"/>')
    for value, told in thresholds:
        x = axes.x(value)
        line = f"M{x:.1f} {axes.y(axes.top):.1f}V{axes.y(0):.1f}"
        drawn.append(f'<path class="guide" d="{line}"><title>{escape(told)}</title></path>')
    # The key stands where the highest bar does not.
    highest = int(np.argmax(np.maximum(density[0], density[1])))
    left = _LEFT + 10 if 2 * highest >= len(target) else WIDTH - _RIGHT - 130
    drawn += [_key(0, "target", "same speaker", left), _key(1, "nontarget", "different speakers", left)]
    return axes.frame(name, label, "density", _round_ticks(axes), [], drawn)


def calibration_plot(ranking: Ranking, *, most: float = 10.0) -> Html:
    """The LLR that the trials bear out (PAV) over the LLR that was stated; good calibration follows the diagonal.

    Both are cut off at ± `most` nats. Dimitriadis, Gneiting & Jordan (2021), "Stable reliability diagrams for
    probabilistic classifiers", in log-odds instead of probabilities.
    """
    tally = ranking.tally()
    share = pav(tally.target / tally.target.sum(), tally.nontarget / tally.nontarget.sum())
    found = np.clip(logit(np.clip(share, 1e-9, 1 - 1e-9)), -most, most)
    axes = _Axes(-most, most, -most, most)
    ends = (-most, most)
    drawn = [
        f'<path class="guide" d="{axes.path(ends, ends)}"/>',
        f'<path class="curve target" d="{axes.path(np.clip(tally.scores, -most, most), found)}"/>',
    ]
    ticks = [(float(value), f"{value:g}") for value in np.linspace(-most, most, 9)]
    return axes.frame("calibration", "stated LLR (nats)", "LLR borne out (nats)", ticks, ticks, drawn)


def _ends(axes: _Axes) -> tuple[tuple[float, float], tuple[float, float]]:
    return (axes.left, axes.right), (axes.bottom, axes.top)


def _inside(value: float, least: float, most: float) -> float:
    # A point beyond the axes is shown on their edge, so that it is not lost.
    return float(min(max(value, least), most))


def _circle(axes: _Axes, x: float, y: float, name: str) -> str:
    return (
        f'<circle class="mark" cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="5"><title>{escape(name)}</title></circle>'
    )


def _key(row: int, kind: str, text: str, left: int) -> str:
    y = _TOP + 8 + 18 * row
    return (
        f'<rect class="key {kind}" x="{left}" y="{y}" width="11" height="11" rx="2"/>'
        f'<text x="{left + 17}" y="{y + 10}">{escape(text)}</text>'
    )


def _round_ticks(axes: _Axes) -> list[tuple[float, str]]:
    """Five or so ticks at round numbers (1, 2 or 5 times a power of ten)."""
    rough = (axes.right - axes.left) / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)
    values = np.arange(np.ceil(axes.left / step), np.floor(axes.right / step) + 1) * step
    return [(float(value), f"{float(np.round(value, 10)):g}") for value in values]
