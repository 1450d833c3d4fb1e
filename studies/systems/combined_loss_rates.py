"""Which rate each row of the combined-loss study takes: all tried alike, on speakers whom that study never tries."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from studies.systems.combined_loss import PILOTS, WAYS, prepare, strangers, taught, tried
from studies.systems.combined_loss_page import called
from studies.systems.place import Place
from studies.systems.study import Row, Study, Tested, Told

RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
SEED = 3
"""None of the study's own."""
EPOCHS = 1
"""Half of what most rows have."""
CHOOSING = "choosing"
TRIED = ("triplet", "triplet, mined", "softmax", "combined", "combined, mined")
"""The ways that differ in more than the entropy term and in how long they take."""


def lists(place: Place) -> Mapping[str, Tested]:
    """Trials of the speakers who choose."""
    return {CHOOSING: tried(place, strangers(place)[0])}


def _run(way: str, rate: float, place: Place, seed: int) -> Told:
    return taught(place, replace(WAYS[way], rate=rate, epochs=EPOCHS), called(way, rate), seed, lists(place))


STUDY = Study(
    name=PILOTS,
    rows=tuple(Row(called(way, rate), partial(_run, way, rate), (SEED,)) for way in TRIED for rate in RATES),
    budget="As in the study of the combined loss, for one epoch.",
    reference=called(TRIED[0], RATES[0]),
    prepare=prepare,
    lists=lists,
    judged=CHOOSING,
)
