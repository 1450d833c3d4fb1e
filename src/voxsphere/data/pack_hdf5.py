"""Waves into an HDF5 file: a dataset of samples an utterance, in a group a speaker."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from voxsphere.audio.hdf5 import ID, RATE
from voxsphere.core.errors import BadInput
from voxsphere.data.pack_pieces import Piece
from voxsphere.data.pack_shards import Place


def write_hdf5(out: Path, recordings: Iterable[tuple[Piece, tuple[np.ndarray, int]]]) -> Iterator[tuple[Piece, Place]]:
    """Write samples (and their rate) to `out`, which appears when all are in it; each is given back when it is.

    Samples lie in one run each, neither in chunks nor compressed: any part of an utterance is one read.
    """
    try:
        import h5py
    except ImportError:
        raise BadInput(f"{out}: HDF5 files need h5py: pip install 'voxsphere[data]'") from None
    for left in out.parent.glob(f".{out.name}.*"):  # of a killed packing
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        half = Path(folder) / out.name
        try:
            with h5py.File(half, "w") as file:
                for piece, (samples, rate) in recordings:
                    dataset = file.require_group(piece.speaker).create_dataset(piece.key, data=samples)
                    dataset.attrs[RATE] = rate
                    dataset.attrs[ID] = piece.first.id
                    yield piece, Place(f"{out}#{piece.speaker}/{piece.key}", len(samples) / rate)
                packed = len(file) > 0
            if packed:
                with half.open("rb") as written:
                    os.fsync(written.fileno())
                os.replace(half, out)
        except OSError as error:
            reason = " ".join(str(error.strerror or error).split())
            raise BadInput(f"{out}: cannot be written ({reason})") from error
