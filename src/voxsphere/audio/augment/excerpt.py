"""Parts of recordings, which begin again where they end, read through the process's memory."""

import math

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.augment.memory import Memory
from voxsphere.audio.augment.sources import Source
from voxsphere.audio.wave import read

_BLOCK = 8.0
"""Seconds read at once. Blocks lie on a grid: what an excerpt holds must not depend, not even in its last bit, on what
happens to be in memory, and a resampled part of a file differs by 1e-6 from the same part of the whole."""


def excerpt(
    source: Source, start: float, samples: int, sample_rate: int, kept: Memory
) -> Float32[np.ndarray, " samples"]:
    """`samples` of a source from its second `start` on; where it ends, it begins again. Not to be written to."""
    size = round(_BLOCK * sample_rate)
    # Resampling may take a file's last sample: a block that would hold no other is not asked for.
    blocks = max(1, math.ceil((source.seconds * sample_rate - 1) / size))
    number, skip = divmod(round(start * sample_rate), size)
    pieces: list[Float32[np.ndarray, " piece"]] = []
    missing = samples
    while missing > 0:
        block = _block(source, number % blocks, sample_rate, kept)
        piece = block[skip : skip + missing]
        pieces.append(piece)
        missing -= len(piece)
        number, skip = number % blocks + 1, 0
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _block(source: Source, number: int, sample_rate: int, kept: Memory) -> Float32[np.ndarray, " samples"]:
    start = source.begin + number * _BLOCK
    seconds = _BLOCK if source.end is None else min(_BLOCK, source.end - start)
    key = ("block", source, number, sample_rate)
    return kept.get(key, lambda: read(source.path, rate=sample_rate, start=start, duration=seconds))
