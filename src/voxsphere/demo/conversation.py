"""A real conversation cut into turns, and a verdict on every pair of turns."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.wave import read
from voxsphere.core.turns import Turn, Turns
from voxsphere.extract.voice import listen, refuse_stored
from voxsphere.pretrained.sources import WheelMember, fetch_member
from voxsphere.verify import Verdict, decide, load

# Thirty seconds of a telephone conversation with its transcript of turns, published inside pyannote.audio (MIT).
_SAMPLE = "pyannote/audio/sample/sample"
TRANSCRIPT = WheelMember(
    package="pyannote.audio",
    version="4.0.7",
    member=f"{_SAMPLE}.rttm",
    sha256="d78fe62c69d8e6dcbb42c26adfce83faccb374c5a1e6d987fe37f85f1c173c87",
    megabytes=1,
)
AUDIO = WheelMember(
    package="pyannote.audio",
    version="4.0.7",
    member=f"{_SAMPLE}.wav",
    sha256="c319b4abca767b124e41432d364fd7df006cb26bb79d09326c487d606a134e6e",
    megabytes=1,
    also=(TRANSCRIPT,),
)
SHORTEST_TURN = 1.0  # seconds


@dataclass(frozen=True)
class Pair:
    """Two turns, by index, the verdict on them, and whether the transcript gives them one speaker."""

    first: int
    second: int
    verdict: Verdict
    same: bool

    @property
    def decided(self) -> bool:
        """Whether there was enough speech, and a calibration, to decide."""
        return self.verdict.llr is not None

    @property
    def right(self) -> bool:
        """Whether the decision agrees with the transcript."""
        return self.decided and (self.verdict.decision == "same speaker") == self.same


@dataclass(frozen=True)
class Comparison:
    """The conversation's turns, their waves, and every pair of them."""

    turns: tuple[Turn, ...]
    waves: tuple[Float32[np.ndarray, " samples"], ...]
    sample_rate: int
    pairs: tuple[Pair, ...]
    model: str

    def pair(self, one: int, other: int) -> Pair | None:
        """The pair of these two turns; None for a turn and itself."""
        wanted = (min(one, other), max(one, other))
        return next((pair for pair in self.pairs if (pair.first, pair.second) == wanted), None)

    @property
    def right(self) -> int:
        """How many pairs were decided as the transcript has them."""
        return sum(pair.right for pair in self.pairs)

    @property
    def decided(self) -> int:
        """How many pairs were decided at all."""
        return sum(pair.decided for pair in self.pairs)

    @property
    def undecided(self) -> int:
        """How many pairs had too little speech."""
        return len(self.pairs) - self.decided


def compare_turns(model: str, *, progress: Callable[[int], None] = lambda steps: None) -> Comparison:
    """Fetch the conversation (once), cut it into turns of one speaker, and verify every pair of turns."""
    vox = load(model)
    refuse_stored(vox.pretrained)  # before anything is fetched
    audio, turns = fetch_member(AUDIO), alone(Turns.load(fetch_member(TRANSCRIPT)).turns)
    rate = vox.pretrained.model.sample_rate
    waves, voices = [], []
    for turn in turns:
        waves.append(read(audio, rate=rate, start=turn.start, duration=turn.duration))
        voices.append(listen(vox.pretrained, audio, start=turn.start, duration=turn.duration))
        progress(1)
    pairs = []
    for first, second in combinations(range(len(turns)), 2):
        same = turns[first].speaker == turns[second].speaker
        pairs.append(Pair(first, second, decide(vox.pretrained, voices[first], voices[second]), same))
        progress(1)
    return Comparison(turns, tuple(waves), rate, tuple(pairs), f"{vox.card.name} ({vox.pretrained.fingerprint})")


def alone(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The parts of `turns` in which nobody else speaks, as far as they last at least a second."""
    kept = []
    for turn in sorted(turns, key=lambda turn: turn.start):
        free = [(turn.start, turn.start + turn.duration)]
        for other in turns:
            if other.speaker != turn.speaker:
                begin, end = other.start, other.start + other.duration
                free = [
                    piece for a, b in free for piece in ((a, min(b, begin)), (max(a, end), b)) if piece[1] > piece[0]
                ]
        kept += [Turn(turn.file, round(a, 3), round(b - a, 3), turn.speaker) for a, b in free if b - a >= SHORTEST_TURN]
    return tuple(kept)


def name_of(turns: tuple[Turn, ...], turn: Turn) -> str:
    """A readable name for the turn's speaker: A for who speaks first, B for the next."""
    order = list(dict.fromkeys(each.speaker for each in turns))
    return chr(ord("A") + order.index(turn.speaker))
