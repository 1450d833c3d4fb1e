"""The table of the combined-loss study's rates, as Markdown, of what is stored."""

from collections.abc import Iterator

from studies.systems.figures import Figures
from studies.systems.store import Store
from studies.systems.tables import rate, table

_AT = ", at "


def way_at(way: str, rate: float) -> str:
    """What a way at a rate is called among the rows."""
    return f"{way}{_AT}{rate:g}"


def chosen(store: Store) -> dict[str, float]:
    """The rate of the lowest EER of each way that was tried."""
    return {way: min(found, key=lambda each: float(found[each]["value"])) for way, found in _tried(store).items()}


def rates(store: Store) -> str:
    """The EER of each way at each rate; the best, which was taken, is bold. "" of nothing."""
    tried, best = _tried(store), chosen(store)
    if not tried:
        return ""
    columns = sorted({each for found in tried.values() for each in found})
    head = ["row", *(f"at {each:g}" for each in columns)]
    body = [[way, *_line(found, columns, best[way])] for way, found in tried.items()]
    return (
        "EER in % on the speakers who chose the rates, with another seed "
        f"(`python -m studies.systems run combined_loss_rates`):\n\n{table(head, body)}"
    )


def _tried(store: Store) -> dict[str, dict[float, Figures]]:
    """Of each way, the EER at each rate."""
    tried: dict[str, dict[float, Figures]] = {}
    for found in (store.figures or {"lists": {}})["lists"].values():
        for row, told in found["rows"].items():
            way, _, at = row.rpartition(_AT)
            tried.setdefault(way, {})[float(at)] = told["eer"]
    return tried


def _line(found: dict[float, Figures], columns: list[float], best: float) -> Iterator[str]:
    for each in columns:
        told = rate(found[each]) if each in found else "–"
        yield f"**{told}**" if each == best else told
