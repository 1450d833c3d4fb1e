"""Which rate each row of the combined-loss study takes: all by one rule, on speakers whom that study never tries."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from studies.systems.combined_loss import PILOTS, WAYS, prepare, strangers, taught, tried
from studies.systems.combined_loss_page import way_at
from studies.systems.place import Place
from studies.systems.study import Row, Study, Tested, Told

STEPS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FIRST = (0.03, 0.1, 0.3)
"""Of `STEPS`, what each way was tried at first."""
BEYOND: Mapping[str, tuple[float, ...]] = {
    "triplet": (),
    "triplet, mined": (0.01,),
    "softmax": (1.0,),
    "combined": (1.0, 3.0),
    "combined, mined": (1.0,),
    "AM": (0.01,),
    "AM combined": (0.01,),
    "AM combined, mined": (0.01,),
}
"""And what beyond: the next step while the best was the lowest or the highest tried. These are the ways that differ in
more than the entropy term."""
SEED = 3
"""None of the study's own."""
LIST = "choosing"


def tried_at(way: str) -> tuple[float, ...]:
    """The rates at which a way was tried, from the lowest."""
    return tuple(sorted((*FIRST, *BEYOND[way])))


def lists(place: Place) -> Mapping[str, Tested]:
    """Trials of the speakers who choose."""
    return {LIST: tried(place, strangers(place)[0])}


def _run(way: str, rate: float, place: Place, seed: int) -> Told:
    return taught(place, replace(WAYS[way], rate=rate), way_at(way, rate), seed, lists(place))


STUDY = Study(
    name=PILOTS,
    rows=tuple(Row(way_at(way, rate), partial(_run, way, rate), (SEED,)) for way in BEYOND for rate in tried_at(way)),
    budget="As in the study of the combined loss.",
    reference=way_at("triplet", FIRST[0]),
    prepare=prepare,
    lists=lists,
    judged=LIST,
)
