"""An item is a pure function of (manifest, index, seed, length): any worker, any order, any restart gives the same."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from voxsphere.audio.augment.chain import apply_all, draw_all, samples_needed
from voxsphere.audio.augment.contract import Augmentation
from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.audio.wave import opened, read
from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.batch import Item

ATTEMPTS = 10
"""How many files in a row may be broken before an item is given up."""


@dataclass(frozen=True)
class Draw:
    """What the sampler deals for one item: the manifest's row, the item's seed, the length of its batch in seconds."""

    index: int
    seed: int
    seconds: float


@dataclass(frozen=True)
class Items:
    """Examples of a manifest's utterances, cut and augmented by what their `Draw` says.

    `classes` numbers the speakers, a row each, and `domains` the domains, where the recipe asks for them. `frames_of`
    and `features` are the model's front end as far as masks need it. A file that cannot be read is replaced by another
    of the same speaker, and named in `Item.broken`.
    """

    manifest: Manifest
    classes: Sequence[int]
    sample_rate: int
    frames_of: Callable[[int], int]
    features: int
    augment: tuple[Augmentation, ...] = ()
    masks: SpecAugment | None = None
    domains: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.manifest)

    def __getitem__(self, draw: Draw) -> Item:
        broken: list[tuple[str, str]] = []
        index, tried = draw.index, [draw.index]
        samples = round(draw.seconds * self.sample_rate)
        for attempt in range(ATTEMPTS):
            utterance = self.manifest.utterances[index]
            random = stream("item", draw.seed, attempt)
            try:
                wave = self._example(utterance, samples, random)
            except (BadInput, OSError) as error:
                broken.append((_culprit(error, utterance), flattened(error)))
                index = self._other(tried, random)
                tried.append(index)
                continue
            mask = self._mask(samples, random)
            domain = None if self.domains is None else self.domains[index]
            return Item(torch.from_numpy(wave), self.classes[index], utterance.id, mask, tuple(broken), domain)
        raise BadInput(f"{broken[-1][1]} (the last of {ATTEMPTS} files in a row that cannot be read)")

    def _example(
        self, utterance: Utterance, samples: int, random: np.random.Generator
    ) -> Float32[np.ndarray, " samples"]:
        deeds = draw_all(self.augment, random, samples, self.sample_rate)
        wave = _cut(utterance, samples_needed(deeds, samples), self.sample_rate, random)
        return np.ascontiguousarray(apply_all(deeds, wave, self.sample_rate, samples), dtype=np.float32)

    def _mask(self, samples: int, random: np.random.Generator) -> Tensor | None:
        if self.masks is None:
            return None
        return torch.from_numpy(self.masks.draw(random, self.frames_of(samples), self.features).array())

    def _other(self, tried: list[int], random: np.random.Generator) -> int:
        """A row not tried yet: the first one's speaker's, for half of the attempts, then anybody's."""
        rows = np.flatnonzero(np.asarray(self.classes) == self.classes[tried[0]])
        left = np.setdiff1d(rows, tried)
        if len(tried) > ATTEMPTS // 2 or not len(left):
            left = np.setdiff1d(np.arange(len(self.manifest)), tried)
        return int(random.choice(left)) if len(left) else tried[0]


def _culprit(error: Exception, utterance: Utterance) -> str:
    # What cannot be read may be a noise or a room: errors begin with the file's name.
    return str(error.filename or utterance.path) if isinstance(error, OSError) else str(error).partition(": ")[0]


def _cut(utterance: Utterance, samples: int, rate: int, random: np.random.Generator) -> Float32[np.ndarray, " samples"]:
    """A piece of the utterance at a drawn place, `samples` long; a shorter utterance is repeated."""
    # Played faster is read at a lower rate: one resampling does both.
    reading_rate = round(rate / utterance.speed)
    wanted = samples / reading_rate
    begin = utterance.start or 0.0
    with opened(utterance.path) as recording:
        whole = recording.about.seconds - begin
        if utterance.start is not None and utterance.duration is not None:
            whole = min(whole, utterance.duration)
        if whole <= wanted:
            # A segment that begins after the end is refused by the reader, in its own words.
            limit = None if utterance.start is None or whole <= 0 else whole
            wave = read(recording, rate=reading_rate, start=utterance.start, duration=limit)
            return np.tile(wave, math.ceil(samples / len(wave)))[:samples]
        first = begin + float(random.uniform(0, whole - wanted))
        wave = read(recording, rate=reading_rate, start=first, duration=wanted)
    # The decoder counts whole samples of the file: what rounding leaves out at the end is repeated.
    return wave if len(wave) == samples else np.resize(wave, samples)
