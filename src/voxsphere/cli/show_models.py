"""What the terminal shows of models: those known by name, their cards, imported ones, and the networks there are."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voxsphere.cli.show import out

if TYPE_CHECKING:
    from voxsphere.pretrained import Card
    from voxsphere.zoo.network import Network


def cards(known: Sequence["Card"]) -> None:
    """The known models, a line or two each."""
    for each in known:
        out.print(f"[bold]{escape(each.name)}[/]  {escape(each.summary)}")
        out.print(f"  weights {escape(each.licence_weights)}; data: {escape(each.licence_data)}", style="dim")
    out.print("`voxsphere models NAME` shows a model's card.", style="dim")


def card(each: "Card") -> None:
    """One card, a fact a line."""
    out.print(f"[bold]{escape(each.name)}[/]  {escape(each.summary)}")
    facts = {
        "paper": each.paper,
        "source": each.source,
        "licences": f"code {each.licence_code}; weights {each.licence_weights}; data {each.licence_data}",
        "trained on": each.training_data,
        "front end": each.front_end,
        "long input": each.long_input,
        "least speech": f"{each.min_speech_seconds:g} s; below that the answer is 'insufficient speech'",
        "published": "; ".join(each.published) or "nothing",
        "measured": "; ".join(each.measured) or "see docs/results.md",
        "calibration": each.calibration.provenance if each.calibration else "none: scores, but no decisions",
    }
    table = Table.grid(padding=(0, 2))
    for name, text in facts.items():
        table.add_row(f"[dim]{name}[/]", escape(text))
    Console(highlight=False).print(table)


def imported(made: "Card", path: Path) -> None:
    """What an import has made, and what it can and cannot do."""
    out.print(f"[bold]{escape(made.name)}[/]  {escape(made.summary)}")
    out.print(f"  front end: {escape(made.front_end)}")
    out.print(f"  weights' licence: {escape(made.licence_weights)}")
    out.print("  no calibration: the model gives scores, but no decisions")
    out.print(f"  model {path}", markup=False)
    out.print(f"  voxsphere verify A B --model {path}", markup=False)


def networks(known: Sequence["Network"]) -> None:
    """The networks paper by paper, with their sizes and whose outputs ours were compared with."""
    width = max(len(each.name) for each in known)
    for paper, those in groupby(known, key=lambda each: each.paper):
        out.print(escape(paper), style="bold")
        for each in those:
            peer = f"  same outputs as {each.peer}" if each.peer else ""
            out.print(f"  {each.name:{width}} {_millions(each.parameters):>9}[dim]{escape(peer)}[/]")
    out.print("Sizes are trainable parameters, without a layer for classes.", style="dim")
    out.print("`voxsphere train RECIPE --set model=NAME` trains one; in Python", style="dim")
    out.print("`voxsphere.zoo.NETWORKS[NAME].model()` builds it, untrained.", style="dim")


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f} M"
