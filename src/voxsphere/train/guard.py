"""The guard against collapse: says in words, once, that all embeddings have become one, or that no triplet teaches."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

FLOOR = 0.005
"""A spread below it is none: the zoo's networks begin at 0.013 or more, most of them near 1."""
NEAR = 0.01
"""A loss is that of equal embeddings where it lies within this share of it."""
LINES = 5
"""So many lines of the logbook in a row must look alike before anything is said."""
GRACE = 1000
"""In the first epoch, these steps of it at most, nothing is said: many runs begin near one point and then part."""


class Guard:
    """Looks at each line of losses that is logged, and finds the words for what went wrong.

    A line looks collapsed where the "spread" is below `FLOOR`, or where the metric loss is what it would be were all
    embeddings equal and either the spread is below 10 times the floor or all mined triplets are active: distances may
    shrink to nothing while directions still differ. `LINES` such lines in a row, after the first epoch (or `GRACE`
    steps of it), in which the spread does not rise by half, are a collapse. As many lines without an active triplet are
    a loss of exactly 0, and told as well.
    """

    def __init__(self) -> None:
        self._spreads: list[float] = []  # of the lines in a row that look collapsed
        self._idle = 0  # lines in a row without an active triplet
        self._told: list[str] = []

    def look(
        self, step: int, epoch: int, losses: Mapping[str, float], loss_of_equal: Callable[[], float]
    ) -> Iterator[str]:
        """What is to be said of this line, if it is the first time. Losses without a "spread" are none of its affair.

        `losses` are the means since the last line, `loss_of_equal` what the metric loss would be were all embeddings
        equal.
        """
        if "spread" not in losses:
            return
        active = losses.get("active", 1.0)
        self._idle = 0 if active else self._idle + 1
        if self._idle >= LINES and self._first_time("idle"):
            yield _idle(step, losses)
        equal = loss_of_equal()
        metric = losses.get("metric", losses["loss"])
        stays = equal > 0 and abs(metric / equal - 1) <= NEAR
        spread = losses["spread"]
        all_active = "active" in losses and active >= 1 - NEAR
        alike = spread < FLOOR or (stays and (spread < 10 * FLOOR or all_active))
        early = epoch == 1 and step < GRACE
        row = self._spreads = [*self._spreads, spread][-LINES:] if alike and not early else []
        if len(row) == LINES and row[-1] < 1.5 * row[0] and self._first_time("collapsed"):
            yield _collapsed(step, spread, metric, equal if stays else None)

    def state_dict(self) -> dict[str, Any]:
        """All that `look` remembers."""
        return {"spreads": self._spreads, "idle": self._idle, "told": self._told}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._spreads, self._idle, self._told = list(state["spreads"]), state["idle"], list(state["told"])

    def _first_time(self, what: str) -> bool:
        if what in self._told:
            return False
        self._told.append(what)
        return True


def _collapsed(step: int, spread: float, metric: float, equal: float | None) -> str:
    seen = (
        f"all utterances get nearly the same vector (spread {spread:.2g})"
        if spread < 10 * FLOOR
        else f"the distances between utterances have shrunk to nothing (spread of the directions {spread:.2g})"
    )
    loss = (
        f"the metric loss is {metric:.3g}"
        if equal is None
        else f"the metric loss is that of equal vectors, {equal:.3g} (a triplet loss's margin)"
    )
    return (
        f"the embeddings have collapsed at step {step}: {seen}, and {loss}; begin from a classifier (recipe.start), "
        "mine less hard, or lower the rate"
    )


def _idle(step: int, losses: Mapping[str, float]) -> str:
    if losses.get("triplets"):
        return (
            f"no mined triplet is active any more at step {step}: the metric loss is exactly 0 and teaches nothing; "
            "mine harder, or take a larger margin"
        )
    return (
        f"no triplet was found in the steps up to {step}: the metric loss is exactly 0 and teaches nothing; take more "
        "speakers or utterances in a batch, or another miner"
    )
