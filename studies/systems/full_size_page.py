"""The section of docs/results.md on the networks at their published size."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studies.systems.tables import table
from voxsphere.core.files import read_json


def section(stored: Path) -> Iterator[str]:
    """The section of docs/results.md; nothing where nothing was timed."""
    if not stored.exists():
        return
    told = read_json(stored)
    yield "\n### The networks at their published size\n"
    yield (
        f"On one thread of {told['machine']}, in CPU seconds (medians; in parentheses the quickest and the slowest "
        "step), with the recipes' own batches and crops, over the corpus in each system's own input form. Loading "
        "counts. The heads are of the corpus's speakers. A batch in pieces is one update all the same.\n"
    )
    yield table(
        ["training", "parameters", "speakers", "batch", "crop, s", "steps", "s a step", "examples a second", "GiB"],
        [_training_cells(name, each["training"]) for name, each in told["networks"].items()],
    )
    yield "\nEmbedding of recordings, reading them and the front end included:\n"
    yield table(
        ["embedding", "recordings", "seconds of sound", "crops", "s a recording", "s a second of sound", "GiB"],
        [_hearing_cells(name, each["hearing"]) for name, each in told["networks"].items()],
    )
    yield "\n```\npython -m studies.systems.full_size\n```"


def _training_cells(name: str, told: dict[str, Any]) -> list[str]:
    batch = f"{told['batch']}" if told["pieces"] == 1 else f"{told['batch']} in {told['pieces']} pieces"
    low, high = told["range"]
    each = f"{_short(told['seconds'])} ({_short(low)}–{_short(high)})"
    rate = _short(told["batch"] / told["seconds"])
    counts = [f"{told['parameters']:,}", f"{told['speakers']:,}", batch, told["length"], str(told["steps"])]
    return [name, *counts, each, rate, f"{told['gib']:.1f}"]


def _hearing_cells(name: str, told: dict[str, Any]) -> list[str]:
    crops, pace = str(told["crops"]) if told["crops"] else "whole", told["total"] / told["audio"]
    return [
        name,
        str(told["files"]),
        f"{told['audio']:.0f}",
        crops,
        _short(told["seconds"]),
        _short(pace),
        f"{told['gib']:.1f}",
    ]


def _short(value: float) -> str:
    """Three digits, and no powers of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
