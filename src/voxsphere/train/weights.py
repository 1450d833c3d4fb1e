"""The weights of past epochs, as far as the finished model may want them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from safetensors.torch import load, save
from torch import Tensor

from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic, digest, named_by
from voxsphere.train.average import average

Keep = Literal["last", "best", "average"]


CLASSES = "classes"
"""The folder in a run's in which the head's weights lie, of the same epochs as the model's in `weights`."""


class Weights:
    """`weights/epoch-000012-DIGEST.safetensors`: the last epoch, the best, or the last `count`."""

    def __init__(self, folder: Path, *, keep: Keep, count: int) -> None:
        self.folder, self.keep, self.count = folder, keep, count

    def save(self, epoch: int, state: Mapping[str, Tensor], *, best: bool) -> None:
        """Keep an epoch's weights."""
        if self.keep == "best" and not best:
            return
        content = save({name: value.detach().cpu().contiguous() for name, value in state.items()})
        with atomic(self.folder / f"epoch-{epoch:06d}-{digest(content)}.safetensors", "wb") as file:
            file.write(content)
        for rest in self.folder.glob(".epoch-*"):  # of a process that was killed while it wrote
            rest.unlink(missing_ok=True)

    def prune(self) -> None:
        """Drop what nobody will ask for any more: once a checkpoint knows of the later ones, not before."""
        for path in set(self._all()) - set(self._wanted()):
            path.unlink(missing_ok=True)

    def forget_after(self, epoch: int) -> None:
        """Drop the weights of later epochs, which a broken run left and the resumed one makes again."""
        for path in self._all():
            if _epoch_of(path) > epoch:
                path.unlink(missing_ok=True)

    def model(self) -> dict[str, Tensor]:
        """The weights that become the model."""
        paths = self._wanted()
        if not paths:
            raise BadInput(f"{self.folder}: holds no weights; a model is made of those at the end of an epoch")
        return average([_load(path) for path in paths]) if len(paths) > 1 else _load(paths[0])

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs that make up the model."""
        return tuple(_epoch_of(path) for path in self._wanted())

    def _wanted(self) -> list[Path]:
        return self._all()[-(self.count if self.keep == "average" else 1) :]

    def _all(self) -> list[Path]:
        """The files, the oldest first."""
        return sorted(self.folder.glob("epoch-*.safetensors"))


def _epoch_of(path: Path) -> int:
    return int(path.stem.split("-")[1])


def _load(path: Path) -> dict[str, Tensor]:
    content = path.read_bytes()
    if not named_by(path, content):
        raise BadInput(f"{path}: is damaged; remove it, and the model is made of the other epochs' weights")
    state: dict[str, Tensor] = load(content)
    return state
