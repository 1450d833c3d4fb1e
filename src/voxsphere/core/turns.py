"""Who spoke when: turns, and the RTTM files that hold them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, read_text


@dataclass(frozen=True, slots=True)
class Turn:
    """`speaker` talks in `file` from `start` on for `duration` seconds."""

    file: str
    start: float
    duration: float
    speaker: str


@dataclass(frozen=True)
class Turns:
    """Turns in the order of the file that held them; those of different speakers may overlap."""

    turns: tuple[Turn, ...]

    def __len__(self) -> int:
        return len(self.turns)

    def __iter__(self) -> Iterator[Turn]:
        return iter(self.turns)

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers' names, sorted."""
        return tuple(sorted({turn.speaker for turn in self.turns}))

    @staticmethod
    def load(path: str | Path) -> "Turns":
        """Read an RTTM file strictly: ten fields a SPEAKER line; `BadInput` names the line that is not."""
        turns = []
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            fields = line.split()
            if not fields or fields[0].startswith(";;"):
                continue
            turns.append(_turn(fields, f"{path}: line {number}"))
        if not turns:
            raise BadInput(f"{path}: holds no SPEAKER line")
        return Turns(tuple(turns))

    def save(self, path: str | Path) -> None:
        """Write an RTTM file, times to the millisecond."""
        with atomic(path) as file:
            for turn in self.turns:
                span = f"{turn.start:.3f} {turn.duration:.3f}"
                file.write(f"SPEAKER {turn.file} 1 {span} <NA> <NA> {turn.speaker} <NA> <NA>\n")


def _turn(fields: list[str], where: str) -> Turn:
    if fields[0] != "SPEAKER" or len(fields) not in (9, 10):
        raise BadInput(f"{where}: is not an RTTM line (SPEAKER file channel start duration <NA> <NA> speaker …)")
    try:
        start, duration = float(fields[3]), float(fields[4])
    except ValueError:
        raise BadInput(f"{where}: start {fields[3]!r} and duration {fields[4]!r} are to be seconds") from None
    if not (math.isfinite(start) and start >= 0 and math.isfinite(duration) and duration > 0):
        raise BadInput(f"{where}: a turn starts at 0 s or later and lasts longer than 0 s")
    return Turn(fields[1], start, duration, fields[7])
