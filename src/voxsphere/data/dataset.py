"""An item is a pure function of (manifest, index, seed, length): any worker, any order, any restart gives the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from voxsphere.audio.augment.spec import SpecAugment
from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.data.batch import Item
from voxsphere.data.places import ONE, Places
from voxsphere.data.source import Source

ATTEMPTS = 10
"""How many files in a row may be broken before an item is given up."""


@dataclass(frozen=True)
class Draw:
    """What the sampler deals for one item: the manifest's row, the item's seed, the length of its batch in seconds.

    `places` says how many crops of the utterance the item gives, all of that length and drawn by that seed, and how
    far they may reach.
    """

    index: int
    seed: int
    seconds: float
    places: Places = ONE


@dataclass(frozen=True)
class Items:
    """Examples of a manifest's utterances, cut and augmented by what their `Draw` says.

    `classes` numbers the speakers, a row each, and `domains` the domains, where the recipe asks for them. `source`
    reads and augments what the model takes; `frames_of` and `features` are its front end as far as masks need it. A
    file that cannot be read is replaced by another of the same speaker, and named in `Item.broken`.
    """

    manifest: Manifest
    classes: Sequence[int]
    source: Source
    frames_of: Callable[[int], int]
    features: int
    masks: SpecAugment | None = None
    domains: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.manifest)

    def __getitem__(self, draw: Draw) -> Item:
        broken: list[tuple[str, str]] = []
        index, tried = draw.index, [draw.index]
        count = round(draw.seconds * self.source.rate)
        for attempt in range(ATTEMPTS):
            utterance = self.manifest.utterances[index]
            random = stream("item", draw.seed, attempt)
            try:
                cut = self.source.examples(utterance, count, random, draw.places)
            except (BadInput, OSError) as error:
                broken.append((_culprit(error, utterance), flattened(error)))
                index = self._other(tried, random)
                tried.append(index)
                continue
            waves = torch.from_numpy(np.ascontiguousarray(cut, dtype=np.float32))
            masks = self._masks(count, draw.places.count, random)
            domain = None if self.domains is None else self.domains[index]
            told = (self.classes[index], utterance.id)
            if draw.places.count == 1:
                return Item(waves[0], *told, None if masks is None else masks[0], tuple(broken), domain)
            return Item(waves, *told, masks, tuple(broken), domain, draw.places.count)
        raise BadInput(f"{broken[-1][1]} (the last of {ATTEMPTS} files in a row that cannot be read)")

    def _masks(self, count: int, crops: int, random: np.random.Generator) -> Tensor | None:
        if self.masks is None:
            return None
        drawn = [self.masks.draw(random, self.frames_of(count), self.features).array() for _ in range(crops)]
        return torch.from_numpy(np.stack(drawn))

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
