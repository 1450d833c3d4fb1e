"""What VoxCeleb1's protocol of all pairs costs: 4,872 made-up recordings of 40 people, of which every pair is tried.

python -m studies.all_pairs            # seconds of each step, and the memory that the process took, as JSON
"""

import json
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import typer

from voxsphere.core.embeddings import Embeddings
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.trials import Trials
from voxsphere.data.all_pairs import all_pairs
from voxsphere.evaluate.results import evaluate
from voxsphere.evaluate.scoring import score

PEOPLE, RECORDINGS, DIM = 40, 4872, 128
Made = TypeVar("Made")


def run() -> None:
    """Make, save, read, score and evaluate all pairs; each is timed once."""
    manifest = Manifest(tuple(Utterance(f"{i % PEOPLE}/{i}", f"{i}.wav", str(i % PEOPLE)) for i in range(RECORDINGS)))
    vectors = np.random.default_rng(0).normal(size=(RECORDINGS, DIM)).astype(np.float32)
    embeddings = Embeddings(manifest.ids, vectors)
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Made]) -> Made:
        begun = time.perf_counter()
        made = work()
        seconds[name] = round(time.perf_counter() - begun, 1)
        return made

    with tempfile.TemporaryDirectory() as folder:
        table, text = Path(folder) / "pairs.parquet", Path(folder) / "pairs.txt"
        pairs = timed("make", lambda: all_pairs(manifest))
        for path in (table, text):
            timed(f"save {path.suffix}", partial(pairs.save, path))
            timed(f"read {path.suffix}", partial(Trials.load, path))
        size = {path.suffix: round(path.stat().st_size / 1e6) for path in (table, text)}
    scores = timed("score", lambda: score(pairs, embeddings))
    before = _peak()
    timed("evaluate", lambda: evaluate(scores, speaker_of=manifest.speaker_of()))
    memory = {"before evaluate": before, "evaluate": _peak()}
    print(json.dumps({"pairs": len(pairs), "seconds": seconds, "megabytes": size, "peak_gigabytes": memory}, indent=2))


def _peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)


if __name__ == "__main__":
    typer.run(run)
