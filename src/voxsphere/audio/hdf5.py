"""Waves and features in HDF5 files: a dataset an utterance, usually in a group a speaker."""

import atexit
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from jaxtyping import Float32

from voxsphere.audio.addresses import is_remote, shown
from voxsphere.audio.kept import Kept
from voxsphere.audio.ranges import Window, ranges, stamp
from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.files import existing

RATE = "sample_rate"
"""The attribute of a dataset of samples that tells its rate in Hz; features have none."""
ID, SPEAKER = "id", "speaker"
"""The attributes of a dataset that tell the utterance's id and speaker, of which its place can hold only some signs."""
_FEATURES = "numbers of shape [1, dim, frames] or [frames, dim], without deltas"


@dataclass(frozen=True)
class Dataset:
    """One utterance in an HDF5 file."""

    name: str
    data: Any  # h5py.Dataset

    def wave(self) -> tuple[int, int]:
        """The sample rate in Hz and the number of samples; `BadInput` where this is no wave."""
        rate = self.data.attrs.get(RATE)
        if rate is None or self.data.ndim != 1 or self.data.dtype.kind not in "fi" or int(rate) < 1:
            raise BadInput(
                f"{self.name}: holds {self._held}, which is neither a wave (one axis of numbers, and an attribute "
                f"{RATE!r}) nor features ({_FEATURES})"
            )
        return int(rate), len(self.data)

    def samples(self, start: int, stop: int) -> Float32[np.ndarray, " samples"]:
        """The wave from sample `start` to `stop`, ±1: whole numbers are taken as such of their width."""
        read = self._read(np.s_[start:stop])
        if read.dtype.kind == "f":
            return read.astype(np.float32, copy=False)
        return read.astype(np.float32) * np.float32(2.0 ** (1 - 8 * read.dtype.itemsize))

    def told(self, attribute: str) -> str | None:
        """What an attribute says, if it is there and is text."""
        found = self.data.attrs.get(attribute)
        return found if isinstance(found, str) else None

    @property
    def length(self) -> int:
        """How many frames the features have."""
        return int(self.data.shape[0 if self.data.ndim == 2 else 2])

    @property
    def holds_features(self) -> bool:
        """Whether it is shaped as features are: [1, dim, frames] or [frames, dim]."""
        shape: tuple[int, ...] = self.data.shape
        return len(shape) == 2 or (len(shape) == 3 and shape[0] == 1)

    def frames(self, start: int, stop: int | None) -> Float32[np.ndarray, "frames dim"]:
        """The features from frame `start` to `stop`, of a dataset of shape [1, dim, frames] or [frames, dim]."""
        if not self.holds_features or self.data.dtype.kind not in "fi":
            raise BadInput(f"{self.name}: holds {self._held}; features are {_FEATURES}")
        read = self._read(np.s_[start:stop]) if self.data.ndim == 2 else self._read(np.s_[0, :, start:stop]).T
        return np.ascontiguousarray(read, dtype=np.float32)

    @property
    def _held(self) -> str:
        return f"{self.data.dtype} of shape {self.data.shape}"

    def _read(self, part: Any) -> np.ndarray:
        try:
            return np.asarray(self.data[part])
        except (OSError, RuntimeError) as error:
            raise BadInput(f"{self.name}: is damaged ({_reason(error)}); copy the file again") from error


def open_dataset(file: str, member: str, name: str) -> Dataset:
    """The dataset `speaker/utterance` of a file at a path or an address. `name` is what messages call it."""
    try:
        state = "" if is_remote(file) else stamp(file)
    except OSError:
        state = stamp(str(existing(file)))
    content = _FILES.get((file, state), lambda: _open(file))
    try:
        found = content.get(member)
    except (KeyError, RuntimeError, OSError) as error:
        raise BadInput(f"{name}: is damaged ({_reason(error)}); copy the file again") from error
    if not hasattr(found, "dtype"):
        what = "is a group" if found is not None else "there is no such dataset in the file"
        raise BadInput(f"{name}: {what}; a dataset is named speaker/utterance")
    return Dataset(name, found)


def members(file: str) -> Iterator[tuple[str, Dataset]]:
    """All datasets of a file on a disk, each with its place in it, in order of their places."""
    content = _open(file)
    with content:
        places: list[str] = []
        content.visititems(lambda place, found: places.append(place) if hasattr(found, "dtype") else None)
        for place in places:
            yield place, Dataset(f"{shown(file)}#{place}", content[place])


def _open(file: str) -> Any:
    try:
        import h5py
    except ImportError:
        raise BadInput(f"{shown(file)}: HDF5 files need h5py: pip install 'voxsphere[data]'") from None
    try:
        if not is_remote(file):
            return h5py.File(file, "r")
        source = ranges(file)
        source.read(0, min(8, source.size))  # a server that sends no parts of files is named here, not within HDF5
        window = Window(source, 0, source.size)
        return h5py.File(io.BufferedReader(cast(io.RawIOBase, window), buffer_size=1 << 20), "r")
    except OSError as error:
        raise BadInput(f"{shown(file)}: cannot be read as HDF5 ({_reason(error)}); copy it again") from error


def _reason(error: Exception) -> str:
    return flattened(error).strip("'\"")[:120]


_FILES: Kept[Any] = Kept(16)


@atexit.register
def _close_all() -> None:
    # HDF5 closes what is open when the process ends, by way of Python for a file at an address; by then that is gone.
    for file in _FILES.clear():
        file.close()
