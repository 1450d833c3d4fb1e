"""How fast the zoo's networks are beside their reference implementations.

    python -m studies.network_speed wespeaker …/wespeaker            # all networks that its check-out has
    python -m studies.network_speed speechbrain …/site-packages NAME…

Both embed the same features, 3 s of them, one utterance and eight, untrained, without gradients, in turns and in one
process on one thread; front ends are left out. Writes medians and their ratio to `studies/outputs/network_speed.json`,
from which `studies.zoo page` takes them.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import torch
import typer

from studies.references import PROJECTS, Reference
from voxsphere.core.files import read_json, write_json
from voxsphere.zoo import NETWORKS

STORED = Path("studies/outputs/network_speed.json")
BATCHES, FRAMES = (1, 8), 298
LEAST, MOST, SECONDS = 3, 25, 12.0  # rounds, and how long they may take together


def run(project: str, checkout: Path, names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Time a project's networks and ours in turns."""
    torch.set_num_threads(1)
    references = PROJECTS[project](checkout)
    for name in names or references:
        found = beside(name, references[name])
        print(name, found, flush=True)
        stored = read_json(STORED) if STORED.exists() else {}
        write_json(STORED, {key: value for key in NETWORKS if (value := (stored | {name: found}).get(key))})


def beside(name: str, reference: Reference, *, least: int = LEAST) -> dict[str, dict[str, float]]:
    """The median milliseconds of both by batch size, and the median of the rounds' ratios."""
    ours, theirs = NETWORKS[name].model().eval(), reference.build().eval()
    found = {}
    with torch.inference_mode():
        for batch in BATCHES:
            features = torch.randn(batch, FRAMES, ours.features.dim)

            def mine(features: torch.Tensor = features) -> object:
                return ours.projection(ours.pooling(ours.encoder(features)))

            def other(features: torch.Tensor = features) -> object:
                return reference.run(theirs, features)

            rounds = _rounds(mine, other, least)
            found[f"batch {batch}"] = {
                "ours_ms": round(1000 * statistics.median(a for a, _ in rounds), 2),
                "theirs_ms": round(1000 * statistics.median(b for _, b in rounds), 2),
                "ratio": round(statistics.median(b / a for a, b in rounds), 2),
                "rounds": len(rounds),
            }
    return found


def _rounds(ours: Callable[[], object], theirs: Callable[[], object], least: int) -> list[tuple[float, float]]:
    """Seconds of both, round after round; who begins changes."""
    ours(), theirs()
    rounds: list[tuple[float, float]] = []
    begun = time.perf_counter()
    while len(rounds) < least or (len(rounds) < MOST and time.perf_counter() - begun < SECONDS):
        first, second = (ours, theirs) if len(rounds) % 2 == 0 else (theirs, ours)
        one, two = _seconds(first), _seconds(second)
        rounds.append((one, two) if first is ours else (two, one))
    return rounds


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


if __name__ == "__main__":
    typer.run(run)
