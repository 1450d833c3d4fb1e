"""The logbook: what a run learnt, a JSON line each. The same run writes the same bytes, however often it was broken."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing
from voxsphere.train.distances import EDGES, Distances


class Logbook:
    """Lines appended to `path`; what lies beyond `position` bytes (a broken run's last lines) is cut off first.

    Times and speeds are not written here, as no two runs agree on them; TensorBoard gets them (`Board`).
    """

    def __init__(self, path: Path, position: int = 0) -> None:
        self.path = path
        try:
            if (path.stat().st_size if path.exists() else 0) < position:
                raise BadInput(f"{path}: is shorter than its checkpoint says; bring the whole run folder back")
            self._file = path.open("r+b" if path.exists() else "w+b")
            self._file.truncate(position)
            self._file.seek(position)
        except OSError as error:
            raise BadInput(f"{path}: cannot be written ({error.strerror})") from error

    def write(self, kind: str, values: Mapping[str, Any]) -> None:
        """Append a line: {"kind": kind, …}."""
        try:
            self._file.write((json.dumps({"kind": kind, **values}) + "\n").encode())
            self._file.flush()
        except OSError as error:
            raise BadInput(f"{self.path}: cannot be written ({error.strerror})") from error

    @property
    def position(self) -> int:
        """How many bytes stand in the logbook, all of them on the disk."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_logbook(path: str | Path) -> Iterator[dict[str, Any]]:
    """The lines of a logbook, one by one; a last line cut short by a crash is left out.

    Raises `BadInput` for a file that is not there, and at a line that is none of a logbook's.
    """
    with existing(path).open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                told = json.loads(line)
            except ValueError:
                told = None
            if not isinstance(told, dict) or "kind" not in told:
                raise BadInput(f"{path}: line {number} is no line of a logbook")
            yield told


class Board:
    """The same figures and the speeds for TensorBoard, where it is installed; else nothing."""

    def __init__(self, folder: Path, first: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._writer = None
        else:
            self._writer = SummaryWriter(str(folder), purge_step=first)

    def write(self, step: int, values: Mapping[str, float | None]) -> None:
        """Add one point to each curve."""
        if self._writer is not None:
            for name, value in values.items():
                if value is not None:
                    self._writer.add_scalar(name, value, step)

    def write_distances(self, step: int, distances: Distances) -> None:
        """Add one histogram to those of target and of non-target trials."""
        if self._writer is None:
            return
        centres = (EDGES[:-1] + EDGES[1:]) / 2
        for name, counts in (("target", distances.target), ("nontarget", distances.nontarget)):
            self._writer.add_histogram_raw(
                f"validation/distances/{name}",
                min=float(EDGES[0]),
                max=float(EDGES[-1]),
                num=int(counts.sum()),
                sum=float(counts @ centres),
                sum_squares=float(counts @ centres**2),
                bucket_limits=EDGES[1:].tolist(),
                bucket_counts=counts.tolist(),
                global_step=step,
            )

    def close(self) -> None:
        """Write out what waits."""
        if self._writer is not None:
            self._writer.close()
