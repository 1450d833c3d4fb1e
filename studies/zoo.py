"""Makes docs/zoo.md: every network of the zoo, what it costs, how far it sees, how fast it is beside its reference.

python -m studies.zoo measure          # all networks on one thread; writes studies/outputs/zoo.json
python -m studies.zoo measure NAME…    # these alone, into the same file
python -m studies.zoo page             # writes docs/zoo.md from the file and from what studies.network_speed
                                       # stored; --check exits with 1 if it differs
"""

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import numpy as np
import torch
import typer

from studies.pages import publish
from voxsphere.core.errors import BadInput
from voxsphere.core.files import read_json, read_text, write_json
from voxsphere.core.random import stream
from voxsphere.models.speaker import SpeakerModel
from voxsphere.zoo import FAMILIES, NETWORKS, named
from voxsphere.zoo.measure import macs_per_second, receptive_field
from voxsphere.zoo.network import Network

STORED = Path("studies/outputs/zoo.json")
PAGE = Path("docs/zoo.md")
HEAD = Path("studies/outputs/zoo_head.md")
BESIDE = Path("studies/outputs/network_speed.json")
SECONDS, RUNS = 5.0, 7
COLUMNS = (
    "network", "parameters", "MACs per second", "real-time factor", "sees", "used by", "compared with", "differs by",
    "speed",
)  # fmt: skip

app = typer.Typer(add_completion=False)


@app.command()
def measure(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Run the networks, untrained, on noise, and store what came out."""
    chosen = [named(name) for name in names or NETWORKS]
    torch.set_num_threads(1)
    stored = read_json(STORED) if STORED.exists() else {}
    for each in chosen:
        model, name = each.model().eval(), each.name
        stored[name] = {
            "macs_per_second": macs_per_second(model),
            "receptive_field": receptive_field(model),
            "real_time_factor": _real_time_factor(model),
        }
        print(name, stored[name], flush=True)
        write_json(STORED, {name: stored[name] for name in NETWORKS if name in stored})


@app.command()
def page(check: Annotated[bool, typer.Option("--check")] = False) -> None:
    """Write the page, or compare it."""
    publish({PAGE: "\n".join(_page()) + "\n"}, check=check)


def _real_time_factor(model: SpeakerModel) -> float:
    wave = stream("zoo", "wave").normal(0, 0.1, round(SECONDS * model.sample_rate)).astype(np.float32)
    model.embed([wave])
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        model.embed([wave])
        times.append(time.perf_counter() - begun)
    return statistics.median(times) / SECONDS


def _page() -> Iterator[str]:
    yield read_text(HEAD).strip()
    stored, beside = read_json(STORED), read_json(BESIDE)
    if lacking := [name for name in NETWORKS if name not in stored]:
        raise BadInput(f"{STORED}: lacks {len(lacking)} networks; run python -m studies.zoo measure {lacking[0]} …")
    for family in FAMILIES:
        if family.NETWORKS:
            yield f"\n## {heading(family)}\n"
            yield f"| {' | '.join(COLUMNS)} |"
            yield "| --- | ---: | ---: | ---: | ---: | --- | --- | ---: | ---: |"
            for network in family.NETWORKS:
                yield _row(network, stored[network.name], beside.get(network.name))
            yield ""
            for paper, names in _papers(family.NETWORKS).items():
                yield f"- {', '.join(names)}: {paper}."


def heading(family: ModuleType) -> str:
    """What the family's docstring says in its first line, as far as a colon."""
    return (family.__doc__ or "").splitlines()[0].partition(":")[0].rstrip(".")


def _row(network: Network, told: dict[str, Any], beside: dict[str, Any] | None) -> str:
    field = told["receptive_field"]
    cells = (
        network.name,
        f"{network.parameters:,}",
        f"{told['macs_per_second'] / 1e6:,.0f} M",
        f"{told['real_time_factor']:.4f}",
        "utterance" if field is None else f"{field} frames",
        ", ".join(network.systems) or "–",
        network.peer or "–",
        _difference(network, beside or {}),
        " / ".join(f"{told['ratio']:.2f}" for key, told in (beside or {}).items() if key.startswith("batch")) or "–",
    )
    return f"| {' | '.join(cells)} |"


def _difference(network: Network, beside: dict[str, Any]) -> str:
    if "difference" in beside:
        return f"{beside['difference']:.0e}"
    return "small form" if network.peer else "–"


def _papers(networks: tuple[Network, ...]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for network in networks:
        named.setdefault(f"{network.paper}; parameters: {network.source}", []).append(network.name)
    return named


if __name__ == "__main__":
    try:
        app()
    except BadInput as error:
        sys.exit(f"error: {error}")
