"""The part of docs/results.md about training: how fast the loop is."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voxsphere.core.files import read_text


def throughput(stored: Path) -> Iterator[str]:
    """Medians of interleaved runs, setting by setting."""
    yield "\n## Speed of training\n"
    yield read_text(stored / "throughput_note.md").strip()
    runs: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for line in read_text(stored / "throughput.jsonl").splitlines():
        run = json.loads(line)
        runs.setdefault(run["cell"], {}).setdefault(run["who"], []).append(run)
    yield "\n| setting | loop | runs | files/s | rows/s | waiting for data % | ours is faster by |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for setting, loops in runs.items():
        ours = _median(loops["ours"], "rows_per_second")
        for who, told in loops.items():
            rows = _median(told, "rows_per_second")
            ratio = "–" if who == "ours" else f"{ours / rows:.2f}"
            shares = (
                f"{_median(told, 'utterances_per_second'):.2f} | {rows:.2f} | {100 * _median(told, 'loader_share'):.1f}"
            )
            yield f"| {setting} | {who} | {len(told)} | {shares} | {ratio} |"


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return statistics.median(run[key] for run in runs)
