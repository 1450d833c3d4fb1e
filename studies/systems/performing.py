"""One run of a study, in a process of its own."""

import time

from studies.systems import named
from studies.systems.place import Place
from studies.systems.study import Told


def perform(place: Place, system: str, row: str, seed: int) -> Told:
    """What the row's run tells, and the CPU seconds that it took."""
    begun = time.process_time()
    told = named(system).row(row).run(place, seed)
    return {**told, "cpu_seconds": round(time.process_time() - begun, 1)}
