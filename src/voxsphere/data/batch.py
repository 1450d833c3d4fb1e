"""What a training step is fed with: equally long waves, their speakers, and what could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float32, Int64
from torch import Tensor


@dataclass(frozen=True)
class Item:
    """One example: a wave (±1), its speaker's number, its feature mask, and the files that failed before it."""

    wave: Float32[Tensor, " samples"]
    speaker: int
    id: str
    mask: Float32[Tensor, "frames features"] | None
    broken: tuple[tuple[str, str], ...]  # (path, reason)


@dataclass(frozen=True)
class Batch:
    """Examples of one length. `masks` multiply the features; `broken` names files that were replaced by others."""

    wave: Float32[Tensor, "batch samples"]
    speaker: Int64[Tensor, " batch"]
    ids: tuple[str, ...]
    masks: Float32[Tensor, "batch frames features"] | None
    broken: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device) -> "Batch":
        """The batch with its tensors on `device`."""
        masks = None if self.masks is None else self.masks.to(device, non_blocking=True)
        wave, speaker = (tensor.to(device, non_blocking=True) for tensor in (self.wave, self.speaker))
        return replace(self, wave=wave, speaker=speaker, masks=masks)

    def pin_memory(self) -> "Batch":
        """The batch in memory that a GPU copies from by itself; torch's loader asks for it."""
        masks = None if self.masks is None else self.masks.pin_memory()
        return replace(self, wave=self.wave.pin_memory(), speaker=self.speaker.pin_memory(), masks=masks)


def collate(items: Sequence[Item]) -> Batch:
    """Items of one length to a batch."""
    masks = [item.mask for item in items if item.mask is not None]
    return Batch(
        wave=torch.stack([item.wave for item in items]),
        speaker=torch.tensor([item.speaker for item in items]),
        ids=tuple(item.id for item in items),
        masks=torch.stack(masks) if masks else None,
        broken=tuple(failure for item in items for failure in item.broken),
    )
