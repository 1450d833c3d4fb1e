"""The part of docs/results.md about training: what `small_corpus` learns, and how fast the loop is."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studies.figures import cell, evaluated
from voxsphere.core.files import read_json, read_text

OTHERS = {"speechbrain-ecapa512": "SpeechBrain", "small_corpus-untrained": "untrained", "mean-and-std": "mean and std"}


def small_corpus(stored: Path) -> Iterator[str]:
    """The trial lists by every seed and by what it is to beat, and the paired comparisons."""
    study = read_json(stored / "small_corpus.json")
    yield "\n## Trained on the development corpus: small_corpus\n"
    yield read_text(stored / "small_corpus_note.md").strip()
    seeds = list(study["held_out"]["last"])
    yield "\nOn the held-out train speakers, after the last epoch:\n"
    yield "| seed | EER % | minDCF (0.01) |\n| --- | ---: | ---: |"
    for seed, line in study["held_out"]["last"].items():
        yield f"| {seed} | {100 * line['eer']:.2f} | {line['min_dcf']:.3f} |"
    systems = {f"small_corpus-seed{seed}": f"seed {seed}" for seed in seeds} | OTHERS
    yield "\nEER in % on the trial lists, none of whose speakers was trained on:\n"
    lists = [path.name for path in sorted((stored / "scores" / next(iter(systems))).glob("*.cosine.parquet"))]
    yield from _eers(stored / "scores", lists, systems)
    yield (
        "\nEER in % where every recording has passed through an equaliser of its own (6 dB standard deviation at nine "
        "frequencies, `python -m studies.small_corpus colour`), as if no two were made with the same microphone:\n"
    )
    coloured = {f"{name}-coloured": told for name, told in systems.items() if name != "small_corpus-untrained"}
    yield from _eers(stored / "scores", lists, coloured)
    yield (
        "\nThe other's EER less ours in points of per cent, with the 95 % interval of the paired bootstrap over "
        "speakers; bold where the interval does not hold 0:\n"
    )
    yield f"| list | beside | {' | '.join(f'seed {seed}' for seed in seeds)} |"
    yield f"| --- | --- |{' ---: |' * len(seeds)}"
    paired = {(row["list"], row["ours"], row["other"]): row for row in study["compared"]}
    for name in (name.split(".")[0] for name in lists):
        for other, told in OTHERS.items():
            cells = [_difference(paired[name, f"small_corpus-seed{seed}", other]) for seed in seeds]
            yield f"| {name} | {told} | {' | '.join(cells)} |"


def _eers(scores: Path, lists: list[str], systems: dict[str, str]) -> Iterator[str]:
    yield f"| list | {' | '.join(systems.values())} |"
    yield f"| --- |{' ---: |' * len(systems)}"
    for name in lists:
        eers = [cell(evaluated(scores / system / name).eer) for system in systems]
        yield f"| {name.split('.')[0]} | {' | '.join(eers)} |"


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


def _difference(row: dict[str, Any]) -> str:
    if row["interval"] is None:
        return f"{100 * row['difference']:+.1f} (no interval)"
    low, high = (100 * end for end in row["interval"])
    told = f"{100 * row['difference']:+.1f} ({low:+.1f} to {high:+.1f})"
    return told if low <= 0 <= high else f"**{told}**"


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return statistics.median(run[key] for run in runs)
