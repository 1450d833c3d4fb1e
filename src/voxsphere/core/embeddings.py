"""Embeddings: ids beside a matrix, and what made them."""

import io
import json
import struct
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from jaxtyping import Float32, Int

from voxsphere.core.errors import BadInput, flattened
from voxsphere.core.files import atomic, check_writable, existing, read_text

HDF5 = (".h5", ".hdf5", ".hdf")
FORMS = (".safetensors", ".npz", *HDF5, ".ark", ".scp")


@dataclass(frozen=True)
class Embeddings:
    """One vector an utterance. `model` is the fingerprint of what made them; `seconds` the speech each one rests on."""

    ids: tuple[str, ...]
    vectors: Float32[np.ndarray, "utterances dim"]
    model: str = ""
    seconds: Float32[np.ndarray, " utterances"] | None = None

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.ids) != len(self.vectors):
            raise BadInput(f"{len(self.ids)} ids do not fit vectors of shape {self.vectors.shape}")
        if self.seconds is not None and self.seconds.shape != (len(self.ids),):
            raise BadInput(f"{len(self.ids)} ids do not fit {self.seconds.size} speech lengths")
        twice = [name for name, count in Counter(self.ids).items() if count > 1]
        if twice:
            raise BadInput(f"{twice[0]}: has two embeddings; ids are to be unique")

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, ids: Sequence[str]) -> Int[np.ndarray, " ids"]:
        """The rows of these ids; `BadInput` names the first that has none."""
        place = {name: row for row, name in enumerate(self.ids)}
        missing = [name for name in ids if name not in place]
        if missing:
            more = f" ({len(missing)} of {len(ids)} are missing)" if len(missing) > 1 else ""
            raise BadInput(f"{missing[0]}: has no embedding{more}; extract it first")
        return np.array([place[name] for name in ids], dtype=np.int64)

    def save(self, path: str | Path) -> None:
        """Write by the ending: .safetensors, .npz, HDF5 (.h5, .hdf5, .hdf: datasets `ids` and `vectors`), or Kaldi
        .ark/.scp (both files; model and seconds are not kept).
        """
        Embeddings.check_destination(path, self.ids)
        path = Path(path)
        if path.suffix == ".safetensors":
            _save_safetensors(self, path)
        elif path.suffix == ".npz":
            with atomic(path, "wb") as file:
                np.savez(file, allow_pickle=False, **_arrays(self))
        elif path.suffix in HDF5:
            _save_hdf5(self, path)
        else:
            _save_kaldi(self, path)

    @staticmethod
    def check_destination(path: str | Path, ids: Sequence[str]) -> None:
        """`BadInput` if embeddings of these ids could not be saved there: the ending, the place, the ids."""
        path = _known(path)
        if path.suffix in HDF5:
            _h5py(path)
        if path.suffix in (".ark", ".scp"):
            _kaldiio(path)
            if any(not name or name.split() != [name] for name in ids):
                raise BadInput(f"{path}: Kaldi's files cannot hold ids with blanks; choose .safetensors or .npz")
        check_writable(path)

    @staticmethod
    def load(path: str | Path) -> "Embeddings":
        """Read by the ending; `BadInput` in one line for what is missing or damaged."""
        path = _known(existing(path))
        if path.suffix == ".safetensors":
            return _load_safetensors(path)
        if path.suffix in HDF5:
            return _load_hdf5(path)
        return _load_npz(path) if path.suffix == ".npz" else _load_kaldi(path)


def _known(path: str | Path) -> Path:
    path = Path(path)
    if path.suffix not in FORMS:
        raise BadInput(f"{path}: embeddings end in {', '.join(FORMS)}")
    return path


def _arrays(embeddings: Embeddings) -> dict[str, np.ndarray]:
    # Ids as bytes: string arrays of numpy would need the longest id's room for each.
    arrays: dict[str, np.ndarray] = {
        "ids": np.frombuffer(json.dumps(embeddings.ids, ensure_ascii=False).encode(), dtype=np.uint8),
        "vectors": np.ascontiguousarray(embeddings.vectors, dtype=np.float32),
        "model": np.frombuffer(embeddings.model.encode(), dtype=np.uint8),
    }
    if embeddings.seconds is not None:
        arrays["seconds"] = np.ascontiguousarray(embeddings.seconds, dtype=np.float32)
    return arrays


def _from_arrays(arrays: dict[str, np.ndarray], path: Path) -> Embeddings:
    if not {"ids", "vectors"} <= arrays.keys():
        raise BadInput(f"{path}: holds no embeddings (it needs ids and vectors)")
    try:
        strings = arrays["ids"].dtype.kind == "U"  # as numpy writes names by itself
        names = arrays["ids"].tolist() if strings else json.loads(arrays["ids"].tobytes())
        ids = tuple(str(name) for name in names)
        model = arrays["model"].tobytes().decode() if "model" in arrays else ""
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"{path}: its ids are damaged ({error})") from error
    return Embeddings(ids, arrays["vectors"].astype(np.float32), model, arrays.get("seconds"))


def _save_safetensors(embeddings: Embeddings, path: Path) -> None:
    from safetensors.numpy import save

    with atomic(path, "wb") as file:
        file.write(save({name: array for name, array in _arrays(embeddings).items() if array.size}))


def _load_safetensors(path: Path) -> Embeddings:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path}: is damaged or no safetensors file ({error})") from error
    return _from_arrays(arrays, path)


def _load_npz(path: Path) -> Embeddings:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise BadInput(f"{path}: is damaged or no npz file ({error})") from error
    return _from_arrays(arrays, path)


def _save_hdf5(embeddings: Embeddings, path: Path) -> None:
    h5py = _h5py(path)
    made = io.BytesIO()  # HDF5 reads what it writes, too
    with h5py.File(made, "w") as out:
        out.create_dataset("ids", data=list(embeddings.ids), dtype=h5py.string_dtype())
        out["vectors"] = np.asarray(embeddings.vectors, dtype=np.float32)
        out["vectors"].attrs["model"] = embeddings.model
        if embeddings.seconds is not None:
            out["seconds"] = np.asarray(embeddings.seconds, dtype=np.float32)
    with atomic(path, "wb") as file:
        file.write(made.getbuffer())


def _load_hdf5(path: Path) -> Embeddings:
    h5py = _h5py(path)
    try:
        with h5py.File(path, "r") as file:
            ids, vectors = tuple(file["ids"].asstr()[:]), file["vectors"][:].astype(np.float32)
            seconds = file["seconds"][:].astype(np.float32) if "seconds" in file else None
            return Embeddings(ids, vectors, str(file["vectors"].attrs.get("model", "")), seconds)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{path}: holds no embeddings (ids and vectors), or is damaged ({flattened(error)})") from error


def _h5py(path: Path) -> ModuleType:
    try:
        import h5py
    except ImportError:
        raise BadInput(f"{path}: HDF5 files need h5py: pip install 'voxsphere[data]'") from None
    module: ModuleType = h5py
    return module


def _save_kaldi(embeddings: Embeddings, path: Path) -> None:
    kaldiio, ark, listing = _kaldiio(path), path.with_suffix(".ark"), path.with_suffix(".scp")
    places = []
    with atomic(ark, "wb", outdates=[listing]) as file:
        for name, vector in zip(embeddings.ids, embeddings.vectors, strict=True):
            places.append(f"{name} {ark}:{file.tell() + len(name.encode()) + 1}\n")
            kaldiio.save_ark(file, {name: np.asarray(vector, dtype=np.float32)})
    with atomic(listing) as file:
        file.writelines(places)


def _load_kaldi(path: Path) -> Embeddings:
    kaldiio = _kaldiio(path)
    places = _scp_places(path) if path.suffix == ".scp" else None
    try:
        if places is not None:
            found = {name: kaldiio.load_mat(place) for name, place in places.items()}
        else:
            with path.open("rb") as file:
                found = dict(kaldiio.load_ark(file))
        return Embeddings(tuple(found), np.stack([np.asarray(vector, dtype=np.float32) for vector in found.values()]))
    except BadInput:
        raise
    except (ValueError, RuntimeError, AssertionError, OSError, EOFError, struct.error) as error:
        reason = flattened(error)
        raise BadInput(f"{path}: holds no Kaldi vectors of one length, or is damaged ({reason})") from error


def _scp_places(path: Path) -> dict[str, str]:
    places = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name, _, place = line.strip().partition(" ")
        # kaldiio would run a place that ends or begins with a pipe as a shell command.
        if "|" in place or (name and not place):
            raise BadInput(f"{path}: line {number} is not `id file.ark:offset`; commands are not run")
        if name in places:
            raise BadInput(f"{path}: line {number}: {name} has two embeddings; ids are to be unique")
        if name:
            places[name] = place.strip()
    return places


def _kaldiio(path: Path) -> ModuleType:
    try:
        import kaldiio
    except ImportError:
        raise BadInput(f"{path}: Kaldi files need kaldiio: pip install 'voxsphere[data]'") from None
    module: ModuleType = kaldiio
    return module
