"""What a training step is fed with: waves or stored features of one length, their speakers, what could not be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from jaxtyping import Float32, Int64
from torch import Tensor


@dataclass(frozen=True)
class Item:
    """One example: a wave, its speaker's number, its feature mask, and the files that failed before it.

    The wave is ±1; for a model that takes stored features it is a matrix of them, here and in the batch. `domain`
    is the number of the domain it was recorded in, where the recipe names a column that tells.

    Where several crops are taken of an utterance, `crops` says how many: waves and masks then lie one after the other
    along a first axis, and each is an example of its own.
    """

    wave: Float32[Tensor, "*crops_samples_dim"]
    speaker: int
    id: str
    mask: Float32[Tensor, "*crops_frames_features"] | None
    broken: tuple[tuple[str, str], ...]  # (path, reason)
    domain: int | None = None
    crops: int | None = None


@dataclass(frozen=True)
class Batch:
    """Examples of one length. `masks` multiply the features; `broken` names files that were replaced by others.

    `utterances` is how many there are of each speaker, where each has equally many and they stand side by side; it is
    counted where the batch is made, so that nobody needs to look into a GPU's memory for it. Several crops of one
    utterance count as so many utterances of its speaker, and `ids` names it so often.
    """

    wave: Float32[Tensor, "batch samples *dim"]
    speaker: Int64[Tensor, " batch"]
    ids: tuple[str, ...]
    masks: Float32[Tensor, "batch frames features"] | None
    broken: tuple[tuple[str, str], ...]
    domain: Int64[Tensor, " batch"] | None = None
    utterances: int | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device) -> "Batch":
        """The batch with its tensors on `device`."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """The batch in memory that a GPU copies from by itself; torch's loader asks for it."""
        return self._with(Tensor.pin_memory)

    def _with(self, moved: Callable[[Tensor], Tensor]) -> "Batch":
        masks, domain = (None if each is None else moved(each) for each in (self.masks, self.domain))
        return replace(self, wave=moved(self.wave), speaker=moved(self.speaker), masks=masks, domain=domain)


def collate(items: Sequence[Item]) -> Batch:
    """Items of one length to a batch, in which an item's crops stand side by side."""
    each = [item for item in items for _ in range(item.crops or 1)]
    masks = [item.mask if item.crops else item.mask[None] for item in items if item.mask is not None]
    domains = [item.domain for item in each if item.domain is not None]
    speakers = [item.speaker for item in each]
    return Batch(
        wave=torch.cat([item.wave if item.crops else item.wave[None] for item in items]),
        speaker=torch.tensor(speakers),
        ids=tuple(item.id for item in each),
        masks=torch.cat(masks) if masks else None,
        broken=tuple(failure for item in items for failure in item.broken),
        domain=torch.tensor(domains) if domains else None,
        utterances=_of_each(speakers),
    )


def _of_each(speakers: Sequence[int]) -> int | None:
    groups = [len(list(group)) for _, group in groupby(speakers)]
    return groups[0] if len(set(groups)) == 1 and len(groups) == len(set(speakers)) else None
