"""One door for every form of manifest, told apart by looking."""

from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest
from voxsphere.data.folders import read_folders
from voxsphere.data.kaldi import read_kaldi


def open_manifest(path: str | Path) -> Manifest:
    """The manifest that `path` means: a .tsv or .parquet table, a Kaldi data folder, or a folder a speaker."""
    path = Path(path)
    if path.is_dir():
        return read_kaldi(path) if (path / "wav.scp").exists() else read_folders(path)
    if path.exists() and path.suffix not in (".tsv", ".txt", ".parquet"):
        raise BadInput(
            f"{path}: is no manifest; a table (.tsv, .parquet), a Kaldi folder, or a folder a speaker is expected"
        )
    return Manifest.load(path)
