"""The table of the unified hypersphere's five likeliest speakers, as Markdown, of what is stored alone."""

from collections.abc import Sequence

from studies.systems.store import Store
from studies.systems.tables import spread, table

TOP5 = "top5_"
"""Before the name of a set: the share of its utterances whose speaker is among the five likeliest."""


def five_likeliest(store: Store, rows: Sequence[str], name: str) -> str:
    """How often the true speaker is among the five likeliest, the mean over seeds with the lowest and the highest.

    "" where no row tells it of the set `name`.
    """
    told = {row: [run.get(TOP5 + name) for run in store.runs.get(row, {}).get("seeds", {}).values()] for row in rows}
    body = [
        [row, str(len(shares)), spread([100 * share for share in shares])]
        for row, shares in told.items()
        if shares and None not in shares
    ]
    if not body:
        return ""
    head = ["row", "seeds", "among the five likeliest, %"]
    text = "Test utterances whose speaker is among the five likeliest, in parentheses of the worst and the best seed:"
    return f"{text}\n\n{table(head, body)}"
