"""One door for every form of manifest, told apart by looking."""

import glob
import gzip
from pathlib import Path

from voxsphere.core.errors import BadInput
from voxsphere.core.files import existing
from voxsphere.core.manifest import Manifest
from voxsphere.data.folders import read_folders
from voxsphere.data.hdf5_manifest import read_hdf5
from voxsphere.data.kaldi import read_kaldi, read_scp
from voxsphere.data.lhotse_manifests import read_lhotse
from voxsphere.data.nemo import read_nemo
from voxsphere.data.speechbrain import read_speechbrain


def open_manifest(path: str | Path) -> Manifest:
    """The manifest that `path` means.

    A folder is a Kaldi data folder if wav.scp or feats.scp lies in it, else one a speaker. A file is a .tsv or .parquet
    table, one of SpeechBrain's .csv lists, NeMo's (.json, .jsonl), lhotse's (.jsonl, .jsonl.gz), a Kaldi list (.scp;
    a pattern such as `mfcc/**/*.scp` names several), or an HDF5 file (.h5, .hdf5, .hdf) with a group a speaker.
    `BadInput` for anything else, and for what is wrong in it.
    """
    path = Path(path)
    if path.is_dir():
        kaldi = (path / "wav.scp").exists() or (path / "feats.scp").exists()
        return read_kaldi(path) if kaldi else read_folders(path)
    if path.suffix == ".scp":
        return read_scp(_matching(path))
    if path.suffix in (".h5", ".hdf5", ".hdf"):
        return read_hdf5(existing(path))
    if path.name.endswith((".json", ".jsonl", ".jsonl.gz")):
        return read_nemo(path) if '"audio_filepath"' in _first_line(path) else read_lhotse(path)
    if path.suffix == ".csv":
        return read_speechbrain(path)
    if path.exists() and path.suffix not in (".tsv", ".txt", ".parquet"):
        raise BadInput(
            f"{path}: is no manifest; a table (.tsv, .parquet), a list of NeMo's, SpeechBrain's or lhotse's, a Kaldi "
            "folder or .scp, an HDF5 file, or a folder a speaker is expected"
        )
    return Manifest.load(path)


def _matching(pattern: Path) -> list[Path]:
    """The file, or all those that fit the pattern, sorted."""
    found = [pattern] if pattern.exists() else [Path(each) for each in sorted(glob.glob(str(pattern), recursive=True))]
    return found or [existing(pattern)]


def _first_line(path: Path) -> str:
    """The first line that is not empty; nothing for what is no text, which its reader then says."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(existing(path), "rt", encoding="utf-8") as lines:
            return next((line for line in lines if line.strip()), "")
    except (OSError, EOFError, UnicodeDecodeError):
        return ""
