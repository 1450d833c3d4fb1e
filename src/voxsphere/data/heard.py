"""What decoding tells of every recording of a manifest: its length, speech, level, and a hash of its samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from voxsphere.audio.quality import inspect, merge
from voxsphere.audio.wave import blocks, info
from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.manifest import Utterance
from voxsphere.data.threads import in_threads

BLOCK = 60.0  # seconds in memory at a time

Span = tuple[str, float | None, float | None]


@dataclass(frozen=True)
class Heard:
    """What was found in an utterance, or the `reason` why nothing was.

    `content` is a hash of the decoded samples and their rate, the same for a WAV and its FLAC copy; "" for a broken
    recording and for a silent one, which is like any other of its length. `clipped` is the share of samples (0..1) at
    the limit, `rate` the file's own in Hz.
    """

    seconds: float = 0.0
    speech_seconds: float = 0.0
    rate: int = 0
    clipped: float = 0.0
    silent: bool = False
    content: str = ""
    reason: str = ""


def hear(utterance: Utterance) -> Heard:
    """Decode an utterance at its file's rate, block by block; what cannot be decoded has a `reason` in one line."""
    start, duration = utterance.start, utterance.duration if utterance.start is not None else None
    try:
        rate = info(utterance.path).rate
        digest, parts = blake2b(str(rate).encode(), digest_size=16), []
        for wave in blocks(utterance.path, rate=rate, seconds=BLOCK, start=start, duration=duration):
            digest.update((wave + 0.0).astype("<f4").tobytes())  # adding 0 leaves one kind of zero
            parts.append(inspect(wave, rate, source_rate=rate))
    except (BadInput, OSError, UnicodeError, ValueError) as error:
        return Heard(reason=flattened(error) or type(error).__name__)
    whole = merge(parts)
    content = "" if whole.silent else digest.hexdigest()
    return Heard(whole.seconds, whole.speech_seconds, rate, whole.clipped, whole.silent, content)


def hear_all(
    utterances: Sequence[Utterance], *, workers: int | None = None, progress: Callable[[int], None] = lambda done: None
) -> tuple[Heard, ...]:
    """Every utterance as `hear` has it, in order; one played at several speeds is decoded once, its times scaled.

    `workers` threads decode (default: one a core).
    """
    rows: dict[Span, list[int]] = {}
    for row, utterance in enumerate(utterances):
        rows.setdefault((utterance.path, utterance.start, utterance.duration), []).append(row)
    found: list[Heard] = [Heard()] * len(utterances)
    for span, heard in in_threads(lambda span: hear(utterances[rows[span][0]]), rows, workers=workers):
        assert isinstance(heard, Heard)  # `hear` tells what is wrong as a reason
        for row in rows[span]:
            speed = utterances[row].speed
            found[row] = replace(heard, seconds=heard.seconds / speed, speech_seconds=heard.speech_seconds / speed)
        progress(len(rows[span]))
    return tuple(found)
