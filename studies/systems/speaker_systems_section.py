"""What docs/results.md says of the speaker recognition systems: one table of networks and losses, one of the lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

from studies.systems import named, tables
from studies.systems.figures import PRIORS
from studies.systems.store import Store
from studies.systems.study import HELD_OUT, Study

SHOWN = 5
"""So many rows are shown on every list."""
LEFT_OUT = "left_out"


@dataclass(frozen=True)
class Variant:
    """A row: its network by the system's name, the options that narrow it, those that give it another loss, the peak of
    its learning rate and how long it learns. Rows of other `epochs` than most are of another budget."""

    network: str
    narrow: str
    loss: tuple[str, ...] = ()
    rate: float = 3e-3
    epochs: int = 10


def section(variants: Mapping[str, Variant], store: Store) -> str:
    """The whole section."""
    study = named("speaker_systems")
    figures = store.figures or {"lists": {}, "sets": {}, "beats": {}}
    parts = [
        tables.budget(study, store),
        tables.verdict(study, figures),
        _rows(study, store, figures, variants),
        tables.steps(study, figures),
        tables.lists(study, figures),
        _best(figures, ranking(variants, figures)),
        tables.broken(study, store),
    ]
    return "\n\n".join(part for part in parts if part)


def ranking(variants: Mapping[str, Variant], figures: Mapping[str, Any]) -> list[str]:
    """The rows of one budget by their EER on held-out train speakers, the lowest first."""
    found = figures["lists"].get(HELD_OUT, {"rows": {}})["rows"]
    rows = [name for name, variant in variants.items() if name in found and variant.epochs == Variant.epochs]
    return sorted(rows, key=lambda name: found[name]["eer"]["value"])


def _rows(study: Study, store: Store, figures: Mapping[str, Any], variants: Mapping[str, Variant]) -> str:
    found = figures["lists"].get(HELD_OUT)
    if found is None or not found["rows"]:
        return ""
    costs = [f"DCF {prior:g}".replace("0.", ".") for prior in PRIORS]
    less = f"EER less that of {study.reference}, points"
    head = ["row", "seeds", "parameters, thousand", "train acc %", "valid acc %", "EER %", *costs, less, "CPU s"]
    body = [
        _row(name, figures, store.runs.get(name, {}).get("seeds", {}), study.reference)
        for name in (each.name for each in (*study.rows, *study.floors))
        if name in found["rows"]
    ]
    networks = {name: variant for name, variant in variants.items() if not variant.loss}
    widths = "; ".join(
        f"{name}: `{variant.narrow}`" for name, variant in networks.items() if variant.epochs == Variant.epochs
    )
    slow = ", ".join(
        f"`{name}` ({variant.rate:g})" for name, variant in variants.items() if variant.rate != Variant.rate
    )
    told = (
        f"Networks under AAM-softmax, then losses of the {study.reference.partition(',')[0]}, judged by "
        f"{found['trials']:,} trials of {found['speakers']} held-out train speakers. *train acc*: of the last steps' "
        "pieces, of several seeds with the lowest and the highest; *valid acc*: of two recordings of each learnt "
        "speaker who has four or more, which were left out; both by the margin-free logits."
    )
    return f"{told}\n\n{tables.table(head, body)}\n\nAt another peak rate: {slow}. The widths: {widths}."


def _row(name: str, figures: Mapping[str, Any], seeds: Mapping[str, Any], reference: str) -> list[str]:
    told = figures["lists"][HELD_OUT]["rows"][name]
    right = figures["sets"].get(LEFT_OUT, {"rows": {}})["rows"].get(name)
    runs = list(seeds.values())
    sizes = [run["parameters"] for run in runs if "parameters" in run]
    accuracies = [run["losses"]["accuracy"] for run in runs if "accuracy" in run.get("losses", {})]
    return [
        name if sizes else f"*{name}*",  # what is to be beaten is set in italics, as in the other tables
        str(told["seeds"]),
        f"{sizes[0] / 1000:,.0f}" if sizes else "–",
        tables.spread([100 * accuracy for accuracy in accuracies]),
        "–" if right is None else tables.rate(right["accuracy"]),
        tables.rate(told["eer"]),
        *(tables.cost(told[f"min_dcf_{prior:g}"]) for prior in PRIORS),
        tables.apart(told["eer"]["less"].get(reference)),
        f"{mean(run['cpu_seconds'] for run in runs):.0f}" if runs else "–",
    ]


def _best(figures: Mapping[str, Any], ranked: list[str]) -> str:
    """The best rows on every list, in the columns of the system's README."""
    shown = tables.by_list(dict(figures), ranked[:SHOWN])
    return (
        f"The {SHOWN} rows of the lowest EER, on each list (the threshold is that EER's):\n\n{shown}" if shown else ""
    )
