"""The table of deep-speaker v2's four numbers, as Markdown, of what is stored alone."""

from collections.abc import Callable, Sequence
from typing import Any

from studies.systems.store import Store
from studies.systems.tables import spread, table

Told = dict[str, Any]
PUBLISHED = ("published (VCTK; leaks)", "95", "", ".04–.05", ".01–.02", "71", "", ".016", ".758")
"""Of the project's README, for other speakers and another corpus; distances of one pair of speakers."""


def four_numbers(store: Store, rows: Sequence[str], sets: Sequence[str]) -> str:
    """What each row's runs told, the mean over seeds with the lowest and the highest; "" of nothing."""
    first, last = sets
    columns: dict[str, Callable[[Told], float | None]] = {
        "windows right after softmax, %": lambda told: 100 * told["windows"][first],
        "recordings right, %": lambda told: 100 * told["recordings"][first],
        "triplet loss after 2,000 steps": lambda told: told["triplet_loss"].get("2000"),
        "after 5,000": lambda told: told["triplet_loss"].get("5000"),
        "windows right by a new head, %": lambda told: 100 * told["windows"][last],
        "recordings right by it, %": lambda told: 100 * told["recordings"][last],
        "distance of two recordings of an unseen speaker": lambda told: told["apart"]["same"],
        "of two unseen speakers": lambda told: told["apart"]["different"],
    }
    body = []
    for row in rows:
        runs = list(store.runs.get(row, {}).get("seeds", {}).values())
        if runs:
            body.append([row, *(spread([column(told) for told in runs]) for column in columns.values())])
    return table(["row", *columns], [PUBLISHED, *body]) if body else ""
