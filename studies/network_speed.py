"""How fast the zoo's networks are beside their reference implementations, and how far their outputs differ.

    python -m studies.network_speed wespeaker …/wespeaker            # all networks that its check-out has
    python -m studies.network_speed speechbrain …/site-packages NAME…

Both embed the same features, 3 s of them, one utterance and eight, untrained, without gradients, in turns and in one
process on one thread; front ends are left out. Where `voxsphere models import` knows the network, ours is then given
the reference's random weights by the same rules, and both embed 1 s of noise in double precision. Writes medians and
their ratio, and that relative difference, to `studies/outputs/network_speed.json`, from which `studies.zoo page` takes
them.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import nn

from studies.references import PROJECTS, Reference
from voxsphere.core.files import read_json, write_json
from voxsphere.pretrained.foreign.renaming import converted
from voxsphere.zoo import NETWORKS

STORED = Path("studies/outputs/network_speed.json")
BATCHES, FRAMES, SECOND = (1, 8), 298, 98
LEAST, MOST, SECONDS = 5, 25, 6.0  # rounds, and how long they may take together


def run(project: str, checkout: Path, names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Time a project's networks and ours in turns."""
    torch.set_num_threads(1)
    references = PROJECTS[project](checkout)
    for name in names or references:
        found = beside(name, references[name])
        print(name, found, flush=True)
        stored = read_json(STORED) if STORED.exists() else {}
        write_json(STORED, {key: value for key in NETWORKS if (value := (stored | {name: found}).get(key))})


def beside(name: str, reference: Reference, *, least: int = LEAST) -> dict[str, Any]:
    """The median milliseconds of both by batch size, the median of the rounds' ratios, and the `difference`."""
    ours, theirs = NETWORKS[name].model().eval(), reference.build().eval()
    found: dict[str, Any] = {}
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
    if reference.rules is not None:
        found["difference"] = difference(name, reference)
    return found


def difference(name: str, reference: Reference) -> float:
    """How far two embeddings of noise differ, relative to their length, in double precision under the same weights."""
    torch.manual_seed(0)
    theirs, ours = reference.build().eval(), NETWORKS[name].model().eval()
    for module in theirs.modules():
        # Fresh batch norms do nothing: they would hide a norm in the wrong place.
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, 0.0, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            if module.affine:
                torch.nn.init.uniform_(module.weight, 0.5, 1.0)
                torch.nn.init.normal_(module.bias, 0.0, 0.1)
    shapes = {key: tuple(value.shape) for key, value in ours.state_dict().items() if not key.startswith("features.")}
    assert reference.rules is not None
    ours.load_state_dict(converted(theirs.state_dict(), reference.rules, shapes, where=name), strict=False)
    theirs, ours = theirs.double(), ours.double()
    features = torch.randn(1, SECOND, ours.features.dim, dtype=torch.float64)
    with torch.inference_mode():
        expected = reference.run(theirs, features)
        expected = (expected[-1] if isinstance(expected, tuple) else expected).reshape(1, -1)
        found = ours.projection(ours.pooling(ours.encoder(features)))
    return float((found - expected).norm() / expected.norm())


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
