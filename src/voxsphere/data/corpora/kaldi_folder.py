"""A Kaldi data folder and its `trials` file; layout: Kaldi's documentation, "Data preparation"."""

from pathlib import Path

from voxsphere.core.trials import Trials
from voxsphere.data.corpora.prepared import Prepared
from voxsphere.data.kaldi import read_kaldi


def from_kaldi(root: Path, *, allow_commands: bool = False) -> Prepared:
    """The utterances of a Kaldi data folder; `missing` names the files of wav.scp that are not there.

    With `allow_commands`, entries of wav.scp that are commands are run, and their output is kept as files.
    """
    manifest = read_kaldi(root, allow_commands=allow_commands)
    paths = dict.fromkeys(utterance.path for utterance in manifest)
    missing = [path for path in paths if "://" not in path and not (Path(path).exists() or _archive(path).exists())]
    trials = {"trials": Trials.load(root / "trials")} if (root / "trials").exists() else {}
    return Prepared(manifest, trials, tuple(missing))


def _archive(locator: str) -> Path:
    """The archive of a locator `wav.ark:1742`, which may end with a range of rows `[3:40]`."""
    bare = locator.rpartition("[")[0] if locator.endswith("]") else locator
    return Path(bare.rpartition(":")[0] or bare)
