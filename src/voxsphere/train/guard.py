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
"""So many lines it must last at the end of a run, when no more are to come; all of a run that has fewer."""


class Guard:
    """Looks at each line of losses that is logged, and finds the words for what went wrong.

    For a loss that sees directions alone, a line looks collapsed where the "spread" is below `FLOOR`, or below 10 times
    that while the metric loss is what it would be were all embeddings equal. A loss that sees lengths, too, may tell
    utterances apart that all point one way (far from the origin), and may have lost all distances while directions
    still differ: of such (`lengths`) the loss must be that of equal embeddings, and either the spread below 10 times
    the floor or all mined triplets active.

    A collapse is told when all lines of `PATIENCE` steps look so, or the last `LINES` of the run. That no triplet was
    active, and the loss exactly 0, is told after `PATIENCE` steps too, or at the end of a run that never had one.

    `loss_of_equal` tells what the metric loss would be were all embeddings of the last batch equal.
    """

    def __init__(self, loss_of_equal: Callable[[], float] = lambda: 0.0, *, lengths: bool = False) -> None:
        self.loss_of_equal, self.lengths = loss_of_equal, lengths
        # Of each: the step of the first line in a row that shows it, and how many those lines are.
        self._rows: dict[str, tuple[int, int]] = {"collapsed": (0, 0), "idle": (0, 0)}
        self._words: dict[str, str] = {}  # what is to be said if it has lasted long enough
        self._lines = 0
        self._told: list[str] = []

    @staticmethod
    def of(objective: object) -> "Guard":
        """The guard for an objective, which may offer `loss_of_equal()` and `sees_lengths`."""
        equal = getattr(objective, "loss_of_equal", lambda: 0.0)
        return Guard(equal, lengths=getattr(objective, "sees_lengths", False))

    def look(self, step: int, losses: Mapping[str, float]) -> Iterator[str]:
        """What is to be said of the line after `step` steps, if it is the first time.

        `losses` are the means since the line before; those without a "spread" are none of the guard's affair.
        """
        if "spread" not in losses:
            return
        self._lines += 1
        equal = self.loss_of_equal()
        self._see("collapsed", self._alike(losses, equal), step, _collapsed(step, losses, equal))
        self._see("idle", losses.get("active") == 0, step, _idle(step, losses))
        for what, (first, count) in self._rows.items():
            if count and step - first >= PATIENCE:
                yield from self._tell(what)

    def end(self) -> Iterator[str]:
        """What is to be said, if it was not yet, now that the run is over."""
        for what, enough in (("collapsed", min(LINES, self._lines)), ("idle", self._lines)):
            if 0 < enough <= self._rows[what][1]:
                yield from self._tell(what)

    def _alike(self, losses: Mapping[str, float], equal: float) -> bool:
        spread = losses["spread"]
        stays = equal > 0 and abs(_metric(losses) / equal - 1) <= NEAR
        near = stays and spread < 10 * FLOOR
        if self.lengths:
            return near or (stays and losses.get("active", 0.0) >= 1 - NEAR)
        return near or spread < FLOOR

    def _see(self, what: str, there: bool, step: int, words: str) -> None:
        first, count = self._rows[what]
        self._rows[what] = ((first if count else step), count + 1) if there else (0, 0)
        self._words[what] = words

    def _tell(self, what: str) -> Iterator[str]:
        if what not in self._told:
            self._told.append(what)
            yield self._words[what]

    def state_dict(self) -> dict[str, Any]:
        """All that `look` remembers."""
        return {
            "rows": dict(self._rows),
            "words": dict(self._words),
            "lines": self._lines,
            "told": list(self._told),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._rows, self._lines, self._told = dict(state["rows"]), state["lines"], list(state["told"])
        self._words = dict(state["words"])


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
