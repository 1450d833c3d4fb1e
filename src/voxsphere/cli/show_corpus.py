"""What the terminal shows of corpora: manifests made, and what a check found."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voxsphere.cli.show import out

if TYPE_CHECKING:
    from voxsphere.core.manifest import Manifest
    from voxsphere.data.report import Report

KINDS = {
    "speaker": "speakers tested with are taught with",
    "file": "files tested with are taught with",
    "content": "recordings tested with are taught with, sample for sample",
    "sound": "recordings tested with are taught with, re-encoded or cut differently",
}


def manifest(made: "Manifest", path: Path, what: str = "", rows: str = "utterances") -> None:
    """How much a manifest holds, and where it lies."""
    what = f" {what}" if what else ""
    out.print(f"{len(made)} {rows} of {len(made.speakers)} speakers{what}: {escape(str(path))}")


def report(found: "Report", *, shown: int) -> None:
    """What a check found; of each kind of finding, the first few."""
    rates = ", ".join(f"{rate} Hz ({count})" for rate, count in found.rates)
    out.print(
        f"{found.utterances} utterances of {found.speakers} speakers: {found.seconds / 3600:.2f} h, "
        f"{found.speech_seconds / 3600:.2f} h of them speech; {escape(rates) or 'nothing could be decoded'}"
    )
    _groups(found)
    for each in found.lists:
        out.print(f"{escape(each.name)}: {each.trials} trials of {each.recordings} recordings")
        if each.taught:
            out.print(f"  compared with {each.taught} utterances that are taught with", style="dim")
        else:
            out.print("  [yellow]compared with nothing: give what is taught with by --against, or a column split[/]")
        if each.test_list:
            out.print(f"  a test list: {escape(each.test_list)}", style="dim")
        if each.of_itself:
            out.print(f"  [yellow]{each.of_itself} trials are of a recording and itself or its copy[/]")
        if each.contrary:
            out.print(f"  [red]{each.contrary} trials say otherwise than the manifest's speakers[/]")
        _finding("recordings are in none of the manifests", each.missing, shown, indent="  ")
    _finding("recordings are broken", [each.reason for each in found.broken], shown, colour="red")
    _finding("recordings are silent", found.silent, shown)
    _finding("recordings are shorter than half a second", found.short, shown)
    _finding("recordings hold no speech", found.speechless, shown)
    _finding("recordings are clipped", found.clipped, shown)
    _finding("speakers have one utterance", found.single, shown, colour="dim")
    twice = [
        " = ".join(each.ids) + (f" (of {' and '.join(each.speakers)})" if len(each.speakers) > 1 else "")
        for each in found.duplicates
    ]
    _finding("recordings are there more than once", twice, shown)
    for (where, kind), leaks in groupby(found.leaks, key=lambda leak: (leak.where, leak.kind)):
        told = [leak.test if leak.test == leak.training else f"{leak.test} = {leak.training}" for leak in leaks]
        _finding(f"{KINDS[kind]} ({where})", told, shown, colour="red")
    out.print("[green]clean[/]" if found.clean else "[bold red]not clean[/]")


def _groups(found: "Report") -> None:
    if len(found.groups) < 2:
        return
    table = Table("data set", "gender", "utterances", "speakers", "hours", "speech", box=None, pad_edge=False)
    for group in found.groups:
        hours = f"{group.seconds / 3600:.2f}", f"{group.speech_seconds / 3600:.2f}"
        names = escape(group.dataset or "-"), escape(group.gender or "-")
        table.add_row(*names, str(group.utterances), str(group.speakers), *hours)
    Console(highlight=False).print(table)


def _finding(what: str, told: Sequence[str], shown: int, *, colour: str = "yellow", indent: str = "") -> None:
    if told:
        out.print(f"{indent}[{colour}]{len(told)} {escape(what)}[/]")
        for each in told[:shown]:
            out.print(f"{indent}  {escape(each)}")
        if len(told) > shown:
            out.print(f"{indent}  … and {len(told) - shown} more (--json tells all)", style="dim")
