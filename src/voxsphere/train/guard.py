"""The guard against collapse: says in words, once, that all embeddings have become one, or that no triplet teaches."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

FLOOR = 0.005
"""A spread below it is none: sixty of the zoo's networks, untrained, begin at 0.013 or more, most of them near 1."""
NEAR = 0.01
"""A loss is that of equal embeddings where it lies within this share of it."""
PATIENCE = 1000
"""So many steps a collapse must last before anything is said: runs that mine the hardest triplets often draw together
first and part again (Hermans et al. 2017, arXiv:1703.07737, section 4.2)."""
LINES = 5
"""So many lines it must last at the end of a run, when no more are to come."""


class Guard:
    """Looks at each line of losses that is logged, and finds the words for what went wrong.

    A line looks collapsed where the "spread" is below `FLOOR`, or where the metric loss is what it would be were all
    embeddings equal and either the spread is below 10 times the floor or all mined triplets are active: distances may
    shrink to nothing while directions still differ. A collapse is told when all lines of `PATIENCE` steps look so, or
    the last `LINES` of the run. That no triplet was active, and the loss exactly 0, is told after `PATIENCE` steps too,
    or at the end of a run that never had one.
    """

    def __init__(self) -> None:
        # Of each: the step of the first line in a row that shows it, and how many those lines are.
        self._rows: dict[str, tuple[int, int]] = {"collapsed": (0, 0), "idle": (0, 0)}
        self._lines = 0
        self._told: list[str] = []

    def look(
        self, step: int, losses: Mapping[str, float], loss_of_equal: Callable[[], float], *, last: bool = False
    ) -> Iterator[str]:
        """What is to be said of the line after `step` steps, if it is the first time.

        `losses` are the means since the line before; those without a "spread" are none of the guard's affair.
        `loss_of_equal` tells what the metric loss would be were all embeddings equal; `last`, that the run is over.
        """
        if "spread" not in losses:
            return
        spread, active = losses["spread"], losses.get("active")
        equal = loss_of_equal()
        stays = equal > 0 and abs(_metric(losses) / equal - 1) <= NEAR
        all_active = active is not None and active >= 1 - NEAR
        alike = spread < FLOOR or (stays and (spread < 10 * FLOOR or all_active))
        self._lines += 1
        if self._lasts("collapsed", alike, step, LINES if last else None):
            yield _collapsed(step, losses, equal)
        if self._lasts("idle", active == 0, step, self._lines if last else None):
            yield _idle(step, losses)

    def _lasts(self, what: str, there: bool, step: int, enough: int | None) -> bool:
        """Whether it is there for `PATIENCE` steps, or for `enough` lines, and was not told yet."""
        first, count = self._rows[what]
        first, count = self._rows[what] = ((first if count else step), count + 1) if there else (0, 0)
        long = count and (step - first >= PATIENCE or (enough is not None and count >= enough))
        if not long or what in self._told:
            return False
        self._told.append(what)
        return True

    def state_dict(self) -> dict[str, Any]:
        """All that `look` remembers."""
        return {"rows": dict(self._rows), "lines": self._lines, "told": list(self._told)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._rows, self._lines, self._told = dict(state["rows"]), state["lines"], list(state["told"])


def _metric(losses: Mapping[str, float]) -> float:
    return losses.get("metric", losses["loss"])


def _collapsed(step: int, losses: Mapping[str, float], equal: float) -> str:
    spread, metric = losses["spread"], _metric(losses)
    seen = (
        f"all utterances get nearly the same vector (spread {spread:.2g})"
        if spread < 10 * FLOOR
        else f"the distances between utterances have shrunk to nothing (spread of the directions {spread:.2g})"
    )
    like = f"{equal:.3g}, a triplet loss's margin" if "triplets" in losses else f"{equal:.3g}"
    return (
        f"the embeddings have collapsed at step {step}: {seen}, and the metric loss is {metric:.3g} where equal "
        f"vectors give {like}; begin from a classifier (recipe.start), mine less hard, or lower the rate"
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
