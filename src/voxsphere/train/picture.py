"""The learning curves of a run as one picture that stands by itself: an SVG file, beside the page."""

import math
from pathlib import Path

from voxsphere.core.files import atomic
from voxsphere.evaluate.page import COLOURS, DRAWN, escape
from voxsphere.train import curves
from voxsphere.train.learning import drawings
from voxsphere.train.trace import Trace

_COLUMNS, _GAP, _HEAD = 2, 24, 40


def write_picture(trace: Trace, out: Path) -> None:
    """Draw the curves that the page shows, two in a row under the run's name, and save them whole or not at all.

    Nothing is written where the logbook holds nothing yet.
    """
    drawn = [picture for picture, _ in drawings(trace)] if trace.learning else []
    if not drawn:
        return
    rows = math.ceil(len(drawn) / _COLUMNS)
    width, height = _GAP + _COLUMNS * (curves.WIDTH + _GAP), _HEAD + rows * (curves.HEIGHT + _GAP)
    title = escape(f"Training run: {trace.recipe['name']}")
    with atomic(out) as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img"><title>{title}</title><style>{COLOURS}{DRAWN}{curves.STYLE}'
            "svg .title { fill: var(--ink); font-size: 16px; font-weight: 600; }</style>\n"
            f'<rect width="{width}" height="{height}" fill="var(--paper)"/>'
            f'<text class="title" x="{_GAP}" y="27">{title}</text>\n'
        )
        for number, picture in enumerate(drawn):
            row, column = divmod(number, _COLUMNS)
            x, y = _GAP + column * (curves.WIDTH + _GAP), _HEAD + row * (curves.HEIGHT + _GAP)
            place = f'<svg x="{x}" y="{y}" width="{curves.WIDTH}" height="{curves.HEIGHT}" '
            file.write(picture.replace("<svg ", place, 1) + "\n")
        file.write("</svg>\n")
